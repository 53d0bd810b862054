*** Settings ***
Documentation     Every threshold at which the pump may be set to alarm an occlusion, and no alarm where there is none.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Occlusions At The Low Threshold
    [Documentation]    Three occlusions at 2 U/h at the pump's low threshold, from closing the outlet to the
    ...    bolus on release.
    [Tags]    PR-F1.5
    Provoke Occlusions    2 U/h    threshold=low    count=3    giving_up_after={1.4 occlusion.missed}

Occlusions At The High Threshold
    [Documentation]    Three occlusions at 2 U/h at the pump's high threshold, from closing the outlet to the
    ...    bolus on release.
    [Tags]    PR-F1.6
    Provoke Occlusions    2 U/h    threshold=high    count=3    giving_up_after={1.4 occlusion.missed}

No Alarm Without An Occlusion
    [Documentation]    A day of free delivery at the lowest rate, at the threshold that is reached first.
    [Tags]    PR-F1.7
    Deliver Without An Occlusion    {basal.minimum}    duration=24 h    threshold=low
