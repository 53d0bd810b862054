*** Settings ***
Documentation     A day of a person's life on the pump, as an assessor reads it: meals are dosed by the pump's
...               calculator.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
A Day With Breakfast, Sport, A Protein Dinner And A Correction
    [Documentation]    A day at the dinner table and on the bicycle, weighed hour by hour and reconciled with log
    ...    and reservoir.
    [Tags]    PR-D8.1    PR-H3.2
    Plan Basal Profile    00:00 0.7 U/h    04:30 1.3 U/h    08:00 0.95 U/h    21:00 0.8 U/h
    Plan Calculator    sensitivity=45 mg/dL    ratio=11 g    target=110 mg/dL
    Eat    07:00    carbohydrates=75 g    glucose=150 mg/dL
    Eat    12:30    carbohydrates=55 g
    Exercise    16:00    rate=40 %    duration=75 min
    Eat    19:00    carbohydrates=45 g    glucose=7 mmol/L    extended=60 %    over=4 h
    Eat    23:00    glucose=14.5 mmol/L
    Live The Day    a day with a protein dinner    person=an adult
