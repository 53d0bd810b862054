*** Settings ***
Documentation     What a pump does when its battery runs down, is shaken, or is taken out.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Battery Runs Down
    [Documentation]    The battery is lowered in steps: low below {battery.low}, empty below {battery.empty}, then dead,
    ...    then good again.
    [Tags]    PR-F5.1
    Run The Battery Down    watch=10 min
    ...    steps={1.015 battery.low}, {0.985 battery.low}, {1.015 battery.empty}, {0.985 battery.empty}

Supply Dips During A Bolus
    [Documentation]    The supply falls to nothing and to 60 % in the middle of boluses, as short as it can and for 1 s.
    [Tags]    PR-F5.2
    Dip The Supply During Boluses    to=0 %, 60 %    lasting=10 ms, 1 s

Battery Is Taken Out During A Bolus For 20 Minutes
    [Documentation]    A bolus of 4 U loses its supply after 20 s; the pump waits to be told to run.
    [Tags]    PR-F6.1    PR-F6.2
    Restart In The Middle Of A Bolus    supply    off=20 min

Battery Is Taken Out During A Bolus For 5 Seconds
    [Documentation]    The same, for as long as a shake of a loose cell.
    [Tags]    PR-F6.1    PR-F6.2
    Restart In The Middle Of A Bolus    supply    off=5 s

Calendar Stops
    [Documentation]    The crystal of the pump's calendar is shorted while basal insulin is delivered.
    [Tags]    PR-F4.1
    Disturb The Controller    crystal

Backup Cell Is Taken Out
    [Documentation]    Without supply the cell that keeps calendar and memory is taken out, too.
    [Tags]    PR-F4.2
    Disturb The Controller    backup cell

Pump Is Restarted By Command
    [Documentation]    A bolus of 4 U is stopped after 20 s and the pump restarted over its line.
    [Tags]    PR-F6.3
    Restart In The Middle Of A Bolus    command
