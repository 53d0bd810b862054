*** Settings ***
Documentation     What the bolus calculator proposes, and that a proposal is what comes.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Meals And Glucoses Of A Day With Insulin On Board
    [Documentation]    A grid of meals, glucoses, hours and insulin on board; ten proposals are delivered and weighed.
    [Tags]    PR-L4.1    PR-L4.2    PR-L4.3    PR-H2.1
    Walk The Calculator
