# robocop: off=line-too-long
*** Settings ***
Documentation     Commands that meet what is under way: two boluses, a pause, midnight, a clock that is set, a changed
...               temporary rate, a loss of supply, a reservoir for the second time, two annunciations at once.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
One Of Two Boluses Is Cancelled
    [Documentation]    Of an extended and a fast bolus the one that is named ends, and the other is given whole.
    [Tags]    PR-D5.5
    Weigh Course Of Commands    a cancel of one of two boluses    blank=5 min
    ...    commands=0 min: extended bolus 2 U over 30 min; 2 min: bolus 1.5 U; 130 s: see 2 boluses under way; 150 s: cancel bolus 1; 5 min: cancel bolus 2, refused as not applicable now; 8 min: extended bolus 2 U over 30 min; 10 min: bolus 1.5 U; 630 s: cancel bolus 4
    ...    weighed=with the fast one whole: 0 min to 4 min; when it has ended: 4 min to 8 min; until the fast one is cancelled: 8 min to 12 min; of the extended one then: 12 min to 22 min

A Pause In Boluses
    [Documentation]    A pause of 10 min holds a fast and an extended bolus; both are whole in the end.
    [Tags]    PR-D5.6
    Weigh Course Of Commands    a pause in boluses    blank=5 min
    ...    commands=0 min: extended bolus 1 U over 30 min; 0 min: bolus 1.5 U; 30 s: pause; 630 s: run; 32 min: see bolus 1 whole; 32 min: see bolus 2 whole
    ...    weighed=until the pause: 0 min to 90 s; while paused: 90 s to 630 s; after the pause: 630 s to 32 min

Deliveries Go On Over Midnight And When The Clock Is Set
    [Documentation]    A temporary rate and an extended bolus last as long as they were set for, by the time that passes.
    [Tags]    PR-D6.3
    Weigh Course Of Commands    deliveries over midnight    rate=1 U/h    blank=5 min
    ...    commands=0 min: clock 23:55; 0 min: temporary rate 200 % for 20 min; 0 min: extended bolus 1 U over 20 min; 10 min: clock 03:00; 15 min: basal 2 U/h; 22 min: see bolus 1 whole
    ...    weighed=before midnight: 0 min to 5 min; after midnight: 5 min to 10 min; after the clock was set: 10 min to 15 min; after the profile was changed: 15 min to 20 min; when they have ended: 21 min to 36 min

A Temporary Rate Is Changed
    [Documentation]    A rate of 0 % for 15 min becomes one of 200 % for 15 min, which counts from the change.
    [Tags]    PR-D6.4
    Weigh Course Of Commands    a changed temporary rate    rate=2 U/h    blank=5 min
    ...    commands=0 min: change temporary rate 200 % for 1 h, refused as not applicable now; 0 min: temporary rate 0 % for 15 min; 10 min: change temporary rate 200 % for 15 min; 1480 s: see nothing annunciated; 1520 s: see temporary basal rate over
    ...    weighed=before the change: 1 min to 10 min; after it: 10 min to 25 min; when it has ended: 26 min to 41 min

Delayed Boluses Within The Maximum
    [Documentation]    A bolus that waits is held to the maximum, too, and can be cancelled; an extended one waits as well.
    [Tags]    PR-D3.10
    Weigh Course Of Commands    delayed boluses within the maximum    blank=5 min
    ...    commands=0 min: maximum bolus 1 U; 0 min: bolus 1.025 U in 5 min, refused as out of range; 0 min: extended bolus 1.025 U over 15 min in 5 min, refused as out of range; 0 min: extended bolus 1 U over 15 min in 5 min; 0 min: bolus 1 U in 10 min; 1 min: cancel bolus 2; 21 min: see bolus 1 whole
    ...    weighed=while it waits: 0 min to 5 min; in its first half: 5 min to 750 s; in its second half: 750 s to 21 min

A Low Reservoir Is Told Of Each Reservoir
    [Documentation]    Told and confirmed, it is told again of the next reservoir.
    [Tags]    PR-F2.5
    Weigh Course Of Commands    two reservoirs that run low    blank=5 min
    ...    commands=0 min: reservoir {1.02 reservoir.low}; 0 min: bolus {0.03 reservoir.low}; 1 min: see reservoir low; 1 min: confirm; 1 min: reservoir {1.02 reservoir.low}; 1 min: bolus {0.03 reservoir.low}; 2 min: see reservoir low
    ...    weighed=all: 0 min to 3 min

A Low Reservoir Is Told Again
    [Documentation]    Told and confirmed, it is told again when {reservoir.low_again} are left.
    [Tags]    PR-F2.6
    Weigh Course Of Commands    a reservoir that runs lower    blank=5 min
    ...    commands=0 min: reservoir {1.05 reservoir.low_again}; 0 min: bolus {0.03 reservoir.low_again}; 1 min: see reservoir low; 1 min: confirm; 1 min: bolus {0.05 reservoir.low_again}; 2 min: see reservoir low
    ...    weighed=all: 0 min to 3 min

The Annunciation That Is Named Is Answered
    [Documentation]    A low reservoir that is snoozed is told of the next reservoir. Confirmed when a maximum is shown over it, it is
    ...    gone; what is shown stays.
    [Tags]    PR-A2.4
    Weigh Course Of Commands    two annunciations    blank=5 min
    ...    commands=0 min: maximum of an hour 1 U; 0 min: reservoir {1.01 reservoir.low}; 0 min: bolus {0.03 reservoir.low}; 1 min: see reservoir low pending; 1 min: snooze; 1 min: see reservoir low snoozed; 1 min: reservoir {1.01 reservoir.low}; 1 min: bolus {0.0125 reservoir.low}; 2 min: see reservoir low pending; 2 min: bolus 0.5 U; 3 min: see maximum delivery pending; 3 min: confirm reservoir low; 3 min: see maximum delivery pending; 3 min: confirm reservoir low, refused as not applicable now; 3 min: see maximum delivery pending; 3 min: confirm; 3 min: see nothing annunciated; 3 min: snooze reservoir low, refused as not applicable now
    ...    weighed=all: 0 min to 4 min

A Loss Of Supply Under A Temporary Rate
    [Documentation]    It comes in a bolus, while a low reservoir waits for an answer: that is told again beside what the restart
    ...    brings. What was left is known, a bolus gets an id of its own, and running again brings the profile's rate alone.
    [Tags]    PR-F6.4
    Weigh Course Of Commands    a loss of supply    rate=1 U/h    blank=5 min
    ...    commands=0 min: reservoir {1.02 reservoir.low}; 0 min: temporary rate 200 % for 2 h; 1 min: bolus 0.5 U; 6 min: see reservoir low; 6 min: bolus 0.5 U; 365 s: without supply for 10 s; 8 min: see system issue; 8 min: confirm system issue; 8 min: see bolus cancelled; 8 min: confirm bolus cancelled; 8 min: see reservoir low; 8 min: run; 8 min: bolus 0.5 U; 9 min: see an id for each bolus; 28 min: see {0.92 reservoir.low} to {0.945 reservoir.low} left
    ...    weighed=before: 0 min to 6 min; while stopped: 7 min to 8 min; after running again: 8 min to 29 min

A Loss Of Supply Before Priming
    [Documentation]    A reservoir is changed, and before it is primed the battery falls out: therapy does not start, nor when
    ...    priming was stopped. While therapy runs nothing is primed; while it is stopped there is nothing to pause.
    [Tags]    PR-D7.7
    Weigh Course Of Commands    a loss of supply before priming    blank=5 min
    ...    commands=0 min: stop; 10 s: reservoir out; 15 s: see no reservoir; 20 s: reservoir in; 30 s: without supply for 10 s; 2 min: run, refused as not applicable now; 7 min: prime 1 U; 422 s: run, refused as not applicable now; 425 s: prime no more; 430 s: run, refused as not applicable now; 440 s: prime 1 U; 445 s: stop; 450 s: run, refused as not applicable now; 8 min: prime 1 U; 9 min: run; 9 min: see therapy run; 9 min: prime 1 U, refused as not applicable now; 9 min: stop; 9 min: pause, refused as not applicable now; 9 min: prime 1 U; 545 s: run, refused as not applicable now
    ...    weighed=before it is primed: 0 min to 7 min

Insulin On Board Of An Extended And A Cancelled Bolus
    [Documentation]    What came is on board, of the extended bolus too, and what was cancelled is not.
    [Tags]    PR-H2.4
    Weigh Course Of Commands    insulin on board of cut boluses    blank=5 min
    ...    commands=0 min: extended bolus 1 U over 15 min; 16 min: bolus 1.5 U; 990 s: cancel bolus 2; 20 min: see 1.5 U to 1.8 U on board; 20 min: see 225 min to 240 min of insulin on board; 20 min: see 1.7 U to 1.8 U more of boluses today
    ...    weighed=all: 0 min to 21 min
