*** Settings ***
Documentation     A reservoir that runs low, runs out, is taken out in the middle of a bolus, or is not there.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Low Reservoir Is Annunciated Where It Is Set To
    [Documentation]    A reservoir of 13 U is emptied by boluses of 0.5 U; the pump is set to warn at 10 U.
    [Tags]    PR-F2.2
    Empty Reservoir Until Warned    filled=13 U    bolus=0.5 U    one_takes=30 s    low=10 U

Empty Reservoir Is Alarmed Before It Runs Dry
    [Documentation]    A reservoir that is said to hold 3 U, and boluses of 1 U until the alarm, or beyond it.
    [Tags]    PR-F2.4
    Empty Reservoir Until Alarmed    filled=3 U    bolus=1 U    one_takes=60 s

Reservoir Is Taken Out In A Bolus
    [Documentation]    The reservoir is taken out 20 s after the beginning of a bolus of 2 U, and put in again.
    [Tags]    PR-F2.3
    Inject Fault In A Bolus    F14 removed    size=2 U    after=20 s

Nothing Is Delivered Without A Reservoir
    [Documentation]    Therapy and a bolus are asked for without a reservoir.
    [Tags]    PR-D7.3
    Ask For Therapy Too Early    state=without a reservoir

Nothing Is Delivered Before Priming
    [Documentation]    Therapy and a bolus are asked for after the reservoir was changed and before it was primed.
    [Tags]    PR-D7.4
    Ask For Therapy Too Early    state=not primed

Nothing Is Delivered At The Start
    [Documentation]    The controller is restarted with a basal profile of 5 U/h, and nobody starts therapy.
    [Tags]    PR-D7.5
    Ask For Therapy Too Early    state=started
