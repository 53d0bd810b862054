# robocop: off=line-too-long
*** Settings ***
Documentation     Basal delivery at the ends of the range and through a day of 48 half-hours.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Basal Rates From Zero To The Highest
    [Documentation]    No rate, the lowest, one between and the highest, one after the other.
    [Tags]    PR-D1.4    PR-D1.5    PR-D1.6
    Weigh Course Of Commands    basal rates of the whole range
    ...    commands=1 h: basal 0.025 U/h; 330 min: basal 5 U/h; 390 min: basal 35 U/h; 450 min: basal 0 U/h
    ...    weighed=at 0 U/h: 0 h to 1 h; at 0.025 U/h: 90 min to 330 min; at 5 U/h: 330 min to 390 min; at 35 U/h: 390 min to 450 min; at 0 U/h again: 451 min to 510 min
    ...    sample_every=15 s

A Day Of 48 Different Half Hours
    [Documentation]    No half-hour is like its neighbours, and midnight is in the middle.
    [Tags]    PR-D2.2
    Weigh 48 Half Hours    0.2 U/h    0.025 U/h
