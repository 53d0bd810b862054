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
    ...    commands=1 h: basal 0.025 U/h; 5 h: basal 5 U/h; 6 h: basal 35 U/h; 7 h: basal 0 U/h
    ...    weighed=at 0 U/h: 0 h to 1 h; at 0.025 U/h: 1 h to 5 h; at 5 U/h: 5 h to 6 h; at 35 U/h: 6 h to 7 h; at 0 U/h again: 421 min to 8 h
    ...    sample_every=15 s

A Day Of 48 Different Half Hours
    [Documentation]    No half-hour is like its neighbours, and midnight is in the middle.
    [Tags]    PR-D2.2
    Weigh 48 Half Hours    0.2 U/h    0.025 U/h
