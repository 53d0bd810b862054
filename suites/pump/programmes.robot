*** Settings ***
Documentation     Basal programmes that a pump must refuse, and temporary rates at the ends of their range.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Profiles That Are No Profile Of A Day
    [Documentation]    Gap, 25 h, too high, no length, too many: each is refused and the profile before is weighed.
    [Tags]    PR-L5.1
    Tell Wrong Profiles

Temporary Rates From Nothing To Twice The Profile
    [Documentation]    0 %, 150 % over a switch of the profile, 200 % cancelled, 0.1 U/h, and two that are too high.
    [Tags]    PR-D6.2
    Weigh Several Temporary Rates
