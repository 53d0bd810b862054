*** Settings ***
Documentation     The basal rate changes, by hand or by the clock: does the flow follow, and when?
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Temporary Rate Of 50 % For 4 Hours
    [Documentation]    A temporary rate of half the profile's rate: what comes before, during and after it, when
    ...    it begins and ends.
    [Tags]    PR-D6.1
    Weigh Temporary Rate    50 %    rate={basal.intermediate}    duration=4 h    before=2 h    after=2 h

Profile Switch From 0.5 To 1.5 U/h
    [Documentation]    A profile of two segments: what comes before and after the switch, and when it comes.
    [Tags]    PR-D2.1
    Weigh Profile Switch    0.5 U/h    then=1.5 U/h    before=2 h    after=2 h
