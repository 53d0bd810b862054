# robocop: off=line-too-long
*** Settings ***
Documentation     Boluses that wait, boluses at once over basal delivery, and their speed.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Delayed Bolus
    [Documentation]    A bolus of 1 U in 15 min: nothing before, all of it then.
    [Tags]    PR-D3.7
    Weigh Course Of Commands    a delayed bolus
    ...    commands=0 min: bolus 1 U in 15 min
    ...    weighed=while it waits: 0 min to 15 min; when it is due: 15 min to 20 min

Several Deliveries At Once
    [Documentation]    A fast bolus over an extended one over a temporary rate, while the reservoir runs low; a second
    ...    fast bolus is refused as one too many. The balance gets the sum.
    [Tags]    PR-D3.8
    Weigh Course Of Commands    several deliveries at once    rate=1 U/h
    ...    commands=0 min: reservoir 24 U; 0 min: temporary rate 200 % for 1 h; 0 min: extended bolus 3 U over 1 h; 10 min: bolus 3 U; 11 min: bolus 1 U, refused as too many; 59 min: see reservoir low; 60 min: see therapy run
    ...    weighed=the fast bolus with the rest: 10 min to 14 min; all together: 0 min to 61 min

Bolus Speed As It Was Set
    [Documentation]    Boluses at the slowest, the usual and the fastest speed that the pump can be set to.
    [Tags]    PR-D3.9
    Weigh Bolus Speed    0.3 U/min    2 U
    Weigh Bolus Speed    1.5 U/min    3 U
    Weigh Bolus Speed    3 U/min    3 U
