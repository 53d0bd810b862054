*** Settings ***
Documentation     The way to the person is closed or lost in whatever the pump is doing. In basal delivery and in a
...               bolus: "occlusion" and "occlusion in a bolus".
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Outlet Is Closed In An Extended Bolus And While Priming
    [Documentation]    And opened again after the alarm.
    [Tags]    PR-F1.21
    Time Answer To Fault    F1    extended    size=20 U    watch=220 s
    Time Answer To Fault    F1    priming    size=5 U    watch=90 s

Way From The Reservoir Is Closed In An Extended Bolus And While Priming
    [Documentation]    The line's pressure says nothing of it.
    [Tags]    PR-F1.22
    Time Answer To Fault    F4    extended    size=20 U    watch=150 s
    Time Answer To Fault    F4    priming    size=5 U

Set Comes Off And The Pump Cannot Know
    [Documentation]    What is delivered goes beside the balance; log and count say what the motor delivered, and the
    ...    report shows by how much they differ from what came.
    [Tags]    PR-H3.21
    Time Answer To Fault    F9    bolus    size=2 U
    Time Answer To Fault    F9    extended    size=5 U    onset=40 s
