*** Settings ***
Documentation     The pump's clock is set: by travel, summer time, a leap day.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Clock Set Over Summer Time, Midnight And A Leap Day
    [Documentation]    Delivery by the new time of day is weighed; totals and the most in an hour go by passed time.
    [Tags]    PR-H2.2
    Set The Clock While It Delivers

Summer Time And A Journey West And Back
    [Documentation]    Time zone and summer time are set, and the profile follows the time that the pump then shows.
    [Tags]    PR-H2.3
    Travel While It Delivers
