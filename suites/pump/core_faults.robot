*** Settings ***
Documentation     What goes wrong in the pump's controller itself, done to it through a debug probe: its program hangs,
...               or a bit flips in a value that it works with. What comes of it is weighed.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Program That Hangs Is Ended By The Watchdog
    [Documentation]    In a loop with its interrupts alive, halted, and crashed.
    [Tags]    PR-F6.31
    Let The Controller Hang    F23 looping    bolus
    Let The Controller Hang    F23 looping    priming    size=5 U
    Let The Controller Hang    F23 held    basal
    Let The Controller Hang    F23 crashed    bolus

Flipped Bit Moves No Insulin
    [Documentation]    In the profile, in what is owed of it, in the time of its next dose, in a bolus that runs.
    [Tags]    PR-F4.31
    Time Answer To Fault    F25 basal profile    basal    rate=6 U/h
    Time Answer To Fault    F25 owed basal insulin    basal    rate=6 U/h
    Time Answer To Fault    F25 next basal dose    basal    rate=6 U/h
    Time Answer To Fault    F25 running bolus    bolus

Flipped Bit Is Not Believed When Asked
    [Documentation]    A maximum that has become larger, and insulin on board that has become more.
    [Tags]    PR-F4.32
    Ask For A Value That Flipped    F25 maximum bolus    size=30 U
    Ask For A Value That Flipped    F25 insulin on board    ask=insulin on board

Flipped Bit In The Stored Profile Is Found At The Start
    [Documentation]    In the profile that outlives a loss of power.
    [Tags]    PR-F4.33
    Inject Fault While Delivering    F25 stored profile    when=at start    watch=1 min

Flipped Bit In The Program Is Found At The Start
    [Documentation]    In the program; a laboratory has to program the controller anew afterwards.
    [Tags]    PR-F4.33
    Inject Fault While Delivering    F25 code    when=at start    watch=1 min
