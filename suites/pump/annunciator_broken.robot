*** Settings ***
Documentation     A pump that finds its own buzzer broken says so, and does not stop over it (recall of July 2025).
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Broken Buzzer Does Not Stop Delivery
    [Documentation]    The buzzer's wire is cut before the start, and later before an alarm for heat; delivery goes on.
    [Tags]    PR-A3.4
    Inject Fault While Delivering    F32 buzzer    when=at start
    Inject Fault While Delivering    F33 hot    when=buzzer broken
