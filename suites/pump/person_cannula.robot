*** Settings ***
Documentation     A cannula that comes out unnoticed: what the pump says, what glucose does, and what tells first.
...               It shows what this failure does to this model; the clinic's hours stand beside the model's, and
...               ketones are an empirical line.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe
Test Tags         experiment

*** Test Cases ***
A Cannula Out Unnoticed
    [Documentation]    A night without a meal; the cannula comes out after an hour. Open loop and closed, each beside
    ...    a night with the cannula in place. No alarm is expected: no pump can know.
    Let A Person Live    open, in place    experiment=a cannula out unnoticed    controller=basal-bolus
    ...    duration=16 h
    Let A Person Live    open, cannula out    experiment=a cannula out unnoticed    controller=basal-bolus
    ...    duration=16 h    line=waste    energised_after=1 h
    Let A Person Live    closed, in place    experiment=a cannula out unnoticed    duration=16 h
    Let A Person Live    closed, cannula out    experiment=a cannula out unnoticed    duration=16 h
    ...    line=waste    energised_after=1 h
