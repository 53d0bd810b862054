*** Settings ***
Documentation     The insulin that the pump is made for: what it states, against what is weighed.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
A Unit Is One At The Concentration That The Pump States
    [Documentation]    U-100, and a bolus of 2 U that is 2 U of it.
    [Tags]    PR-D3.21
    Weigh A Unit Of Insulin    size=2 U
