*** Settings ***
Documentation     The battery is taken out, or its voltage falls for a moment, in whatever the pump is doing. In a
...               bolus: "Battery Is Taken Out During A Bolus" and "Supply Dips During A Bolus".
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Battery Is Taken Out In Each Delivery
    [Documentation]    For a minute, under basal delivery, in an extended bolus and while priming.
    [Tags]    PR-F6.21
    Time Answer To Fault    F21 battery out    basal    rate=6 U/h
    Time Answer To Fault    F21 battery out    extended    size=5 U    onset=40 s
    Time Answer To Fault    F21 battery out    priming    size=5 U

Supply Dips In Each Delivery
    [Documentation]    To 1 V for 1 s, under basal delivery, in an extended bolus and while priming.
    [Tags]    PR-F5.21
    Time Answer To Fault    F20 dip    basal    rate=6 U/h
    Time Answer To Fault    F20 dip    extended    size=5 U    onset=40 s
    Time Answer To Fault    F20 dip    priming    size=5 U
