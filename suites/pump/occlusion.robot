*** Settings ***
Documentation     An occluded line is alarmed in time, and what happens when it opens.
Library           rig.robot_library.PumpBench    ${BENCH}    ${RUN}    ${REQUIREMENTS}    ${SET}
Test Setup        Open Bench    Basal Profile    Occlusion Detection
Test Teardown     Leave Bench Safe

*** Test Cases ***
Occlusion At 1 U/h
    [Documentation]    An occlusion under basal delivery at 1 U/h, from closing the outlet to the bolus on release.
    [Tags]    allure.label.requirement:PR-F1.1    allure.label.requirement:PR-F1.2
    ...       allure.label.requirement:PR-F1.3    allure.label.requirement:PR-F1.4
    Deliver Basal Freely    1 U/h    30 min
    Close Outlet
    Wait For Occlusion Alarm    giving_up_after=7 U
    Watch After Alarm    30 min
    Open Outlet And Weigh Release
