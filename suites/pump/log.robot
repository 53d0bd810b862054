*** Settings ***
Documentation     What stands in a pump's log, and whether it is all there.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
The Log Holds What Was Done
    [Documentation]    One of each of what a pump logs is done; the log is held against it and against the balance.
    [Tags]    PR-H1.2    PR-H1.4    PR-H3.3
    Hold The Log Against What Was Done

A Long Log Is Gapless
    [Documentation]    The log is filled with 2,000 entries, the supply taken away among them, and read in several ways.
    [Tags]    PR-H1.3
    Fill The Log    entries=2000
