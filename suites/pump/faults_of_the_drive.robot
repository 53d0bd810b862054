*** Settings ***
Documentation     Motor, encoder and sensors fail while the pump delivers, or the surroundings are not what they may be.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Motor Does Not Turn
    [Documentation]    The motor's wire is cut in a bolus; the pump stops, says so, and goes on right once repaired.
    [Tags]    PR-F3.1
    Inject Fault In A Bolus    F15    size=2 U    after=20 s    then=1 U

Motor Loses Steps
    [Documentation]    A driver in the motor's wires drops every fourth step of a bolus.
    [Tags]    PR-F3.4
    Inject Fault In A Bolus    F16    size=2 U    after=20 s    then=1 U

Motor Runs Away
    [Documentation]    A driver in the motor's wires makes steps that nobody commands: in a bolus, and while stopped.
    [Tags]    PR-F3.5    PR-F3.6
    Inject Fault In A Bolus    F17    size=2 U    after=20 s    then=1 U
    Deliver Through Fault    F17    when=stopped    rate=6 U/h    held=10 min

Encoder Does Not Count
    [Documentation]    The encoder's wire is cut in a bolus.
    [Tags]    PR-F3.2
    Inject Fault In A Bolus    F18    size=2 U    after=20 s    then=1 U

Force Sensor Is Open
    [Documentation]    The force sensor's wire is cut in a bolus.
    [Tags]    PR-F3.3
    Inject Fault In A Bolus    F19    size=2 U    after=20 s    then=1 U

Surroundings Out Of Range
    [Documentation]    Heat, cold and thin air under basal delivery are annunciated, and delivery goes on.
    [Tags]    PR-F7.1    PR-F7.2
    Inject Fault While Delivering    F33 hot
    Inject Fault While Delivering    F33 cold
    Inject Fault While Delivering    F11 sensor
