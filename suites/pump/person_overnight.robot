*** Settings ***
Documentation     A night with sensor and pump: the sensor's noise, a late meal, and the rise towards the morning.
...               It shows what a controller's commands, as the pump carries them out, do to this model, and
...               nothing of the efficacy of a therapy.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe
Test Tags         experiment

*** Test Cases ***
A Night With Sensor And Pump
    [Documentation]    A late meal of 40 g at 00:30 and a dawn rise of 20 %: open loop, closed loop, and closed loop
    ...    with the sensor lain on for an hour, which reads 60 mg/dL low meanwhile.
    Let A Person Live    open loop    experiment=a night with sensor and pump    controller=basal-bolus
    ...    duration=10 h    eat=00:30 40 g    dawn=20 %
    Let A Person Live    closed loop    experiment=a night with sensor and pump
    ...    duration=10 h    eat=00:30 40 g    dawn=20 %
    Let A Person Live    closed, sensor lain on    experiment=a night with sensor and pump
    ...    duration=10 h    eat=00:30 40 g    dawn=20 %
    ...    sensor_fault=compression low    fault_from=4 h    fault_to=5 h
