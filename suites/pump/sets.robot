*** Settings ***
Documentation     Insulin that leaves the pump and does not reach the person. A valve leads the needle beside the
...               vessel.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
A Set Dislodged By Sport
    [Documentation]    Half the usual rate for sport; the set comes off at random, and is put back at its end. What was
    ...    missed is accounted.
    [Tags]    PR-E2.1
    Dislodge The Set By Sport    1 U/h    share=50 %    duration=75 min    losses=4
