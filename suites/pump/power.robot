*** Settings ***
Documentation     What a pump does when its battery runs down, is shaken, or is taken out.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Battery Runs Down
    [Documentation]    The battery is lowered in steps: low below 3.4 V, empty below 3.2 V, then dead, then good again.
    [Tags]    PR-F5.1
    Run The Battery Down    steps=3.45 V, 3.35 V, 3.25 V, 3.15 V    watch=10 min

Supply Dips During A Bolus
    [Documentation]    The supply falls to nothing and to 60 % in the middle of boluses, as short as it can and for 1 s.
    [Tags]    PR-F5.2
    Dip The Supply During Boluses    to=0 %, 60 %    lasting=10 ms, 1 s

Battery Is Taken Out During A Bolus For 20 Minutes
    [Documentation]    A bolus of 4 U loses its supply after 20 s; the pump waits to be told to run.
    [Tags]    PR-F6.2
    Restart In The Middle Of A Bolus    supply    off=20 min

Battery Is Taken Out During A Bolus For 5 Seconds
    [Documentation]    The same, for as long as a shake of a loose cell.
    [Tags]    PR-F6.2
    Restart In The Middle Of A Bolus    supply    off=5 s

Pump Is Restarted By Command
    [Documentation]    A bolus of 4 U is stopped after 20 s and the pump restarted over its line.
    [Tags]    PR-F6.3
    Restart In The Middle Of A Bolus    command
