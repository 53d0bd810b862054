*** Settings ***
Documentation     A line that is closed while a bolus comes, at the ends of what the pump can, and its opening.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Occlusion During A Bolus
    [Documentation]    A bolus of {0.5 bolus.large} into the closed outlet, a second one after the alarm, the
    ...    opening, and a bolus
    ...    once the alarm is confirmed.
    [Tags]    PR-F1.11    PR-F1.12    PR-F1.13
    Give A Bolus Into A Closed Line    F1    size={0.5 bolus.large}    then={bolus.typical}

Occlusion Between Reservoir And Line
    [Documentation]    The same with the line closed on the reservoir's side, where the line's pressure says nothing.
    [Tags]    PR-F1.14
    Give A Bolus Into A Closed Line    F4    size={0.5 bolus.large}    then={bolus.typical}

Occlusions That Clear By Themselves
    [Documentation]    A bolus of {4 bolus.typical} through an outlet that is closed for 20 s, three times.
    [Tags]    PR-F1.15
    Give A Bolus Through Occlusions That Clear    size={4 bolus.typical}

Occlusion At The Lowest Rate
    [Documentation]    1.6 U are pressed into the closed outlet, and basal delivery at {basal.minimum} does the rest.
    [Tags]    PR-F1.9
    Provoke Occlusions    {basal.minimum}    threshold=low    pressed=1.6 U    giving_up_after=4 U    look_every=2 min

Occlusion At The Highest Rate
    [Documentation]    An occlusion at the highest basal rate of the pump.
    [Tags]    PR-F1.10
    Provoke Occlusions    {basal.maximum}    free=2 min
