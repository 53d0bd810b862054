*** Settings ***
Documentation     Insulin for a slow meal: a bolus spread over hours, and one of which half comes at once.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Extended Bolus Of 4 U Over 2 Hours
    [Documentation]    An extended bolus, weighed from rest to rest: its total, each quarter of its time,
    ...    beginning and end.
    [Tags]    PR-D4.1
    Weigh Extended Bolus    4 U    duration=2 h    slices=4

Multiwave Bolus Of 6 U, Half Of It Over 2 Hours
    [Documentation]    A multiwave bolus: what comes at once, each quarter of the rest, beginning and end.
    [Tags]    PR-D4.2
    Weigh Extended Bolus    6 U    duration=2 h    extended=50 %    slices=4
