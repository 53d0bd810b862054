*** Settings ***
Documentation     A new infusion set is filled before it is worn: tubing first, then the cannula.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Tubing And Cannula Are Filled
    [Documentation]    Tubing and cannula are filled and weighed: how much, how fast, and counted as no therapy.
    [Tags]    PR-D9.1
    Weigh Priming    {priming.tubing}    {priming.cannula}
