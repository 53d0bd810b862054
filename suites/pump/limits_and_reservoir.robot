*** Settings ***
Documentation     What a pump refuses, what it warns of, and what it remembers.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Boluses Above The Maximum Are Refused
    [Documentation]    Boluses above the maximum of 25 U are refused and nothing is delivered.
    [Tags]    PR-L1.1
    Command Boluses Above The Maximum    25.5 U, 30 U, 100 U    watch=10 min

Low Reservoir Is Annunciated
    [Documentation]    A reservoir of 30 U is emptied by boluses of 1 U until the pump warns; its log has no gaps.
    [Tags]    PR-F2.1    PR-H1.1
    Empty Reservoir Until Warned    filled=30 U    bolus=1 U    one_takes=60 s
    Count Missing Log Entries
