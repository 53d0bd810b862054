# robocop: off=line-too-long
*** Settings ***
Documentation     Commands that meet what is under way: two boluses, a pause, midnight, a clock that is set, a changed
...               temporary rate, a loss of supply, a reservoir for the second time.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
One Of Two Boluses Is Cancelled
    [Documentation]    Of an extended and a fast bolus the one that is named ends, and the other is given whole.
    [Tags]    PR-D5.5
    Weigh Course Of Commands    a cancel of one of two boluses
    ...    commands=0 min: extended bolus 4 U over 1 h; 5 min: bolus 3 U; 6 min: cancel bolus 1; 15 min: extended bolus 4 U over 1 h; 20 min: bolus 3 U; 21 min: cancel bolus 4
    ...    weighed=with the fast one whole: 0 min to 10 min; when it has ended: 10 min to 15 min; until the fast one is cancelled: 15 min to 25 min; of the extended one then: 25 min to 45 min

A Pause In Boluses
    [Documentation]    A pause of 20 min holds a fast and an extended bolus; both are whole in the end.
    [Tags]    PR-D5.6
    Weigh Course Of Commands    a pause in boluses
    ...    commands=0 min: extended bolus 2 U over 1 h; 0 min: bolus 3 U; 1 min: pause; 21 min: run
    ...    weighed=until the pause: 0 min to 2 min; while paused: 2 min to 21 min; after the pause: 21 min to 62 min

Deliveries Go On Over Midnight And When The Clock Is Set
    [Documentation]    A temporary rate and an extended bolus last as long as they were set for, by the time that passes.
    [Tags]    PR-D6.3
    Weigh Course Of Commands    deliveries over midnight    rate=1 U/h
    ...    commands=0 min: clock 23:50; 0 min: temporary rate 200 % for 40 min; 0 min: extended bolus 2 U over 40 min; 20 min: clock 03:00
    ...    weighed=before midnight: 0 min to 10 min; after midnight: 10 min to 20 min; after the clock was set: 20 min to 40 min; when they have ended: 41 min to 61 min

A Temporary Rate Is Changed
    [Documentation]    A rate of 0 % for 30 min becomes one of 200 % for 30 min, which counts from the change.
    [Tags]    PR-D6.4
    Weigh Course Of Commands    a changed temporary rate    rate=2 U/h
    ...    commands=0 min: temporary rate 0 % for 30 min; 20 min: change temporary rate 200 % for 30 min
    ...    weighed=before the change: 1 min to 20 min; after it: 20 min to 50 min; when it has ended: 51 min to 71 min

Delayed Boluses Within The Maximum
    [Documentation]    A bolus that waits is held to the maximum, too; an extended one waits as well.
    [Tags]    PR-D3.10
    Weigh Course Of Commands    delayed boluses within the maximum
    ...    commands=0 min: maximum bolus 2 U; 0 min: bolus 2.025 U in 15 min, refused as out of range; 0 min: extended bolus 2.025 U over 20 min in 15 min, refused as out of range; 0 min: extended bolus 2 U over 20 min in 15 min
    ...    weighed=while it waits: 0 min to 15 min; in its first half: 15 min to 25 min; in its second half: 25 min to 36 min

A Low Reservoir Is Told Of Each Reservoir
    [Documentation]    Told and confirmed, it is told again of the next reservoir.
    [Tags]    PR-F2.5
    Weigh Course Of Commands    two reservoirs that run low
    ...    commands=0 min: reservoir {1.1 reservoir.low}; 0 min: bolus {0.15 reservoir.low}; 5 min: see reservoir low; 5 min: confirm; 5 min: reservoir {1.1 reservoir.low}; 5 min: bolus {0.15 reservoir.low}; 10 min: see reservoir low
    ...    weighed=all: 0 min to 11 min

A Low Reservoir Is Told Again
    [Documentation]    Told and confirmed, it is told again when {reservoir.low_again} are left.
    [Tags]    PR-F2.6
    Weigh Course Of Commands    a reservoir that runs lower
    ...    commands=0 min: reservoir {1.1 reservoir.low}; 0 min: bolus {0.15 reservoir.low}; 5 min: see reservoir low; 5 min: confirm; 5 min: bolus {0.9 reservoir.low}; 20 min: see reservoir low
    ...    weighed=all: 0 min to 21 min

A Loss Of Supply Under A Temporary Rate
    [Documentation]    What was left in the reservoir is known afterwards, a bolus gets an id of its own, and running
    ...    again brings the profile's rate alone.
    [Tags]    PR-F6.4
    Weigh Course Of Commands    a loss of supply    rate=1 U/h
    ...    commands=0 min: reservoir 50 U; 0 min: temporary rate 200 % for 2 h; 5 min: bolus 1 U; 20 min: without supply for 10 s; 22 min: run; 22 min: bolus 1 U; 23 min: see an id for each bolus; 50 min: see 46.5 U to 47.3 U left
    ...    weighed=before: 0 min to 20 min; while stopped: 21 min to 22 min; after running again: 22 min to 52 min

A Loss Of Supply Before Priming
    [Documentation]    A reservoir is changed, and before it is primed the battery falls out: therapy does not start.
    [Tags]    PR-D7.7
    Weigh Course Of Commands    a loss of supply before priming
    ...    commands=0 min: stop; 1 min: reservoir out; 2 min: reservoir in; 3 min: without supply for 10 s; 5 min: run, refused as not applicable now; 15 min: prime 1 U; 17 min: run; 17 min: see therapy run
    ...    weighed=before it is primed: 0 min to 15 min

Insulin On Board Of An Extended And A Cancelled Bolus
    [Documentation]    What came is on board, of the extended bolus too, and what was cancelled is not.
    [Tags]    PR-H2.4
    Weigh Course Of Commands    insulin on board of cut boluses
    ...    commands=0 min: extended bolus 2 U over 20 min; 25 min: bolus 3 U; 26 min: cancel bolus 2; 30 min: see 3 U to 3.5 U on board
    ...    weighed=all: 0 min to 31 min
