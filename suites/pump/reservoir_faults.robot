*** Settings ***
Documentation     The reservoir is taken out in whatever the pump is doing, and put in again: what is told and how soon,
...               what comes, and that nothing goes on. In a bolus: "Reservoir Is Taken Out In A Bolus".
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Reservoir Is Taken Out Under Basal Delivery
    [Documentation]    At 0.5 U/h a dose is due every 3 min: the pump is not to wait for it.
    [Tags]    PR-F2.21
    Time Answer To Fault    F14 removed    basal    rate=0.5 U/h    watch=60 s

Reservoir Is Taken Out In An Extended Bolus
    [Documentation]    40 s after the beginning of 5 U over 15 min.
    [Tags]    PR-F2.22
    Time Answer To Fault    F14 removed    extended    size=5 U    onset=40 s

Reservoir Is Taken Out While Priming
    [Documentation]    20 s after the beginning of 5 U.
    [Tags]    PR-F2.23
    Time Answer To Fault    F14 removed    priming    size=5 U

Reservoir Is Taken Out While Another Annunciation Waits
    [Documentation]    Basal delivery goes on with a low reservoir that nobody has confirmed.
    [Tags]    PR-F2.24
    Time Answer To Fault    F14 removed    alarm    rate=6 U/h

Reservoir Is Taken Out While No Therapy Runs
    [Documentation]    Therapy and a bolus are asked for then.
    [Tags]    PR-F2.25
    Time Answer To Fault    F14 removed    stopped
