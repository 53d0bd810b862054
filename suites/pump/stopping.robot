# robocop: off=line-too-long
*** Settings ***
Documentation     Stop, pause and cancel in the middle of each kind of delivery: what still comes, and what comes later.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Cancelled Extended And Multiwave Bolus
    [Documentation]    What was delivered until the cancel stays, nothing comes after it; the log has the same amount.
    [Tags]    PR-D5.2
    Weigh Course Of Commands    cancelled extended boluses
    ...    commands=0 min: extended bolus 4 U over 1 h; 15 min: cancel bolus 1; 40 min: multiwave bolus 1 U and 4 U over 1 h; 55 min: cancel bolus 2
    ...    weighed=until the first cancel: 0 min to 16 min; after the first cancel: 16 min to 40 min; until the second cancel: 40 min to 56 min; after the second cancel: 56 min to 80 min

Stop In The Middle Of A Bolus
    [Documentation]    A bolus of 5 U at 1.5 U/min is stopped after 60 s; running again does not take it up.
    [Tags]    PR-D5.3
    Weigh Course Of Commands    a stop in a bolus
    ...    commands=0 min: bolus 5 U; 60 s: stop; 10 min: run; 20 min: see therapy run
    ...    weighed=until the stop: 0 min to 2 min; while stopped: 2 min to 10 min; after running again: 10 min to 20 min

Pause And Stop Of Basal Delivery
    [Documentation]    What a pause of 30 min withholds follows when therapy runs again; what a stop withholds does not, nor
    ...    what a pause before it withheld.
    [Tags]    PR-D5.4
    Weigh Course Of Commands    a pause and a stop    rate=2 U/h
    ...    commands=30 min: pause; 60 min: run; 90 min: pause; 100 min: stop; 120 min: run
    ...    weighed=before the pause: 0 min to 30 min; while paused: 31 min to 60 min; after the pause: 60 min to 90 min; while stopped: 91 min to 120 min; after the stop: 120 min to 150 min

Stop In Every State
    [Documentation]    Basal delivery at a temporary rate, an extended bolus and one that waits are stopped together;
    ...    what is asked for then is refused, and running again brings back the profile's rate alone. Priming is stopped by a stop, too.
    [Tags]    PR-D7.6
    Weigh Course Of Commands    a stop of everything    rate=1 U/h
    ...    commands=0 min: temporary rate 200 % for 2 h; 0 min: extended bolus 3 U over 30 min; 0 min: bolus 2 U in 15 min; 10 min: stop; 12 min: bolus 1 U, refused as not applicable now; 12 min: temporary rate 200 % for 2 h, refused as not applicable now; 40 min: run; 70 min: stop; 71 min: prime 5 U; 72 min: stop
    ...    weighed=until the stop: 0 min to 11 min; while stopped: 11 min to 40 min; after running again: 40 min to 71 min; by the priming: 71 min to 73 min; after the priming: 73 min to 100 min
