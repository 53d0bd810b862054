*** Settings ***
Documentation     What a pump refuses, what it warns of, and what it remembers.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Boluses Above The Maximum Are Refused
    [Documentation]    Boluses above the maximum of {bolus.maximum} are refused and nothing is delivered.
    [Tags]    PR-L1.1
    Command Boluses Above The Maximum    {bolus.above_maximum}    watch=10 min

Low Reservoir Is Annunciated
    [Documentation]    A reservoir of {1.2 reservoir.low_earliest} is emptied by boluses of {bolus.typical} until the
    ...    pump warns; its log has no gaps.
    [Tags]    PR-F2.1    PR-H1.1
    Empty Reservoir Until Warned    filled={1.2 reservoir.low_earliest}    bolus={bolus.typical}    one_takes=60 s
    Count Missing Log Entries
