*** Settings ***
Documentation     An occluded line is alarmed in time, and what happens when it opens.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Occlusion At The Intermediate Rate
    [Documentation]    Half an hour of free delivery, the outlet closed until the alarm, half an hour's watch,
    ...    the bolus on release weighed.
    [Tags]    PR-F1.1    PR-F1.2    PR-F1.3    PR-F1.4    PR-F1.8
    Provoke Occlusions    {basal.intermediate}    count=1    free=30 min    watch=30 min
    ...    giving_up_after={1.4 occlusion.missed}
