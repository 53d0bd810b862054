*** Settings ***
Documentation     Exercise during which the cannula comes out, in part or whole. Sport lowers glucose, and so
...               hides at first that no insulin arrives. It shows what this failure does to this model; exercise
...               on it is an assumption.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe
Test Tags         experiment

*** Test Cases ***
A Cannula Dislodged By Sport
    [Documentation]    An hour of exercise from 01:00 on; after half of it nothing happens, half of the insulin is
    ...    lost, or all of it. The cannula stays so.
    Let A Person Live    set in place    experiment=a cannula dislodged by sport    controller=basal-bolus
    ...    duration=12 h    exercise=01:00 for 60 min at 60 beats
    Let A Person Live    half lost    experiment=a cannula dislodged by sport    controller=basal-bolus
    ...    duration=12 h    exercise=01:00 for 60 min at 60 beats    line=waste    energised_after=90 min    lost=50 %
    Let A Person Live    all lost    experiment=a cannula dislodged by sport    controller=basal-bolus
    ...    duration=12 h    exercise=01:00 for 60 min at 60 beats    line=waste    energised_after=90 min
    Let A Person Live    all lost, without sport    experiment=a cannula dislodged by sport    controller=basal-bolus
    ...    duration=12 h    line=waste    energised_after=90 min
