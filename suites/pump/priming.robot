*** Settings ***
Documentation     A new infusion set is filled before it is worn: tubing first, then the cannula.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Tubing Of 10 U And Cannula Of 0.5 U
    [Documentation]    Tubing and cannula are filled and weighed: how much, how fast, and counted as no therapy.
    [Tags]    PR-D9.1
    Weigh Priming    10 U    0.5 U
