*** Settings ***
Documentation     A controller outside of the pump commands it every 5 min by what a sensor shows. Judged is what was
...               weighed: what the two deliver when a low is predicted, when the sensor or the link fails, and when a
...               part restarts.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
A Low Is Predicted
    [Documentation]    The sensor falls by 2 mg/dL a minute; delivery is reduced within one period.
    [Tags]    PR-G1.1
    Automate Delivery    predicted low

A Low That Lasts
    [Documentation]    The sensor shows 65 mg/dL for hours; no suspension is longer than 2 h, and insulin follows each.
    [Tags]    PR-G2.1
    Automate Delivery    lasting low

The Sensor Fails While Much Is Delivered
    [Documentation]    It shows nothing, the very same, a leap, or more than it can measure.
    [Tags]    PR-G3.1    PR-G3.2    PR-G3.3    PR-G3.5
    Automate Delivery    sensor lost
    Automate Delivery    sensor stale
    Automate Delivery    sensor jumps
    Automate Delivery    sensor out of range

Somebody Lies On The Sensor
    [Documentation]    It reads 60 mg/dL too low for an hour; delivery is back once it is right again.
    [Tags]    PR-G3.4
    Automate Delivery    compression low

High Glucose Lasts
    [Documentation]    At 350 mg/dL for hours: the most in an hour and in a period, and is it what was asked?
    [Tags]    PR-G4.1    PR-G4.2
    Automate Delivery    lasting high

A Person Gives A Bolus Beside The Automation
    [Documentation]    2 U while the sensor shows 200 mg/dL: given whole, and counted.
    [Tags]    PR-G5.1
    Automate Delivery    bolus beside

The Link Is Lost
    [Documentation]    Nobody reaches the pump while it delivers much; the same after its clock was set back by 3 h.
    [Tags]    PR-G6.1    PR-G7.1
    Automate Delivery    link lost
    Automate Delivery    clock set

More Than The Pump Allows
    [Documentation]    The controller asks for more than the pump's maximum, then for less.
    [Tags]    PR-G8.1
    Automate Delivery    pump's maximum

Each Part Restarts
    [Documentation]    The controller, with a person's bolus acting; the pump; the sensor.
    [Tags]    PR-G9.1    PR-G9.2    PR-G9.3
    Automate Delivery    controller restarts
    Automate Delivery    pump restarts
    Automate Delivery    sensor restarts

The Cannula Comes Out Of A Person On The Pump
    [Documentation]    A virtual person gets nothing from 15 min on; what the automation asks for tells of it.
    [Tags]    PR-G10.1
    Let A Person Live    the cannula comes out    controller=pid    duration=315 min
    ...    line=waste    energised_after=15 min
