*** Settings ***
Documentation     A person with type 1 and one with type 2 diabetes side by side: the same meals, each with the
...               basal rate and the carbohydrate for 1 U that suit him. Two models, of one person each.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe
Test Tags         experiment

*** Test Cases ***
Type 1 And Type 2 Side By Side
    [Documentation]    Three meals from 02:00 on, the same for both; open loop and closed.
    Let A Person Live    type 1, open    experiment=type 1 and type 2    controller=basal-bolus
    ...    duration=18 h    eat=02:00 45 g, 07:00 70 g, 12:00 60 g
    Let A Person Live    type 2, open    experiment=type 1 and type 2    person=type 2    controller=basal-bolus
    ...    duration=18 h    eat=02:00 45 g, 07:00 70 g, 12:00 60 g
    Let A Person Live    type 1, closed    experiment=type 1 and type 2
    ...    duration=18 h    eat=02:00 45 g, 07:00 70 g, 12:00 60 g
    Let A Person Live    type 2, closed    experiment=type 1 and type 2    person=type 2
    ...    duration=18 h    eat=02:00 45 g, 07:00 70 g, 12:00 60 g
