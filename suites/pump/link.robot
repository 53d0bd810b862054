*** Settings ***
Documentation     What a pump does with commands that arrive damaged, again or not at all, and when its link is lost.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Damaged Commands Have No Effect
    [Documentation]    A bolus of {bolus.typical} is commanded in every damaged form, then whole.
    [Tags]    PR-C1.1
    Damage Commands On The Line    size={bolus.typical}

Repeated Commands Are Executed Once
    [Documentation]    The command of a bolus of {bolus.typical} comes again: at once, after others, and overtaken by
    ...    others.
    [Tags]    PR-C1.2
    Repeat Commands On The Line    size={bolus.typical}

A Lost Reply Repeats No Bolus
    [Documentation]    The reply to the command of a bolus of {2 bolus.typical} is lost; the pump tells of it when it
    ...    is asked.
    [Tags]    PR-C1.3
    Lose The Link During A Bolus    reply    size={2 bolus.typical}

A Flood Of Commands Delivers Nothing
    [Documentation]    100 commands a second for 20 s, while a bolus of {bolus.typical} is delivered.
    [Tags]    PR-C1.4
    Flood The Pump With Commands    per_second=100    duration=20 s    size={bolus.typical}

The Link Is Lost During A Bolus
    [Documentation]    The line is mute for a minute in the middle of a bolus of {2 bolus.typical}, which is finished
    ...    and can be read.
    [Tags]    PR-C2.1
    Lose The Link During A Bolus    link    size={2 bolus.typical}    silence=60 s

Nobody Speaks To The Pump
    [Documentation]    Basal insulin of {2 basal.intermediate} goes on for 2 h in which nobody asks.
    [Tags]    PR-C3.1
    Leave The Pump Alone    {2 basal.intermediate}    2 h
