*** Settings ***
Documentation     Motor, encoder and force sensor fail while the pump does something else than give a bolus at once:
...               how soon that is answered, what came, what was missed, and what the pump accounts for.
...               In a bolus: "Motor Does Not Turn" and others of faults of the drive.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Motor Stops Turning In Each Delivery
    [Documentation]    The motor's wire is cut under basal delivery, in an extended bolus, while priming, and under
    ...    basal delivery while a low reservoir waits to be confirmed.
    [Tags]    PR-F3.21
    Time Answer To Fault    F15    basal    rate=6 U/h
    Time Answer To Fault    F15    extended    size=5 U    onset=40 s
    Time Answer To Fault    F15    priming    size=5 U
    Time Answer To Fault    F15    alarm    rate=6 U/h

Encoder Stops Counting In Each Delivery
    [Documentation]    The encoder's wire is cut under basal delivery, in an extended bolus and while priming.
    [Tags]    PR-F3.22
    Time Answer To Fault    F18    basal    rate=6 U/h
    Time Answer To Fault    F18    extended    size=5 U    onset=40 s
    Time Answer To Fault    F18    priming    size=5 U

Force Sensor Opens In Each Delivery
    [Documentation]    The force sensor's wire is cut under basal delivery, in an extended bolus and while priming.
    [Tags]    PR-F3.23
    Time Answer To Fault    F19    basal    rate=6 U/h
    Time Answer To Fault    F19    extended    size=5 U    onset=40 s
    Time Answer To Fault    F19    priming    size=5 U
