*** Settings ***
Documentation     The same meal, dosed in several patterns: what the pattern of the pump, and a wrong count of
...               carbohydrates, do to glucose. Basal-bolus, no sensor. It shows what the pump's execution does to
...               this model, and nothing of the efficacy of a therapy.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe
Test Tags         experiment

*** Test Cases ***
A Fast Meal By Its Bolus
    [Documentation]    60 g of carbohydrates, eaten at 01:00: their bolus at once, half of it or all of it over 2 h,
    ...    and with 30 % less and 30 % more announced than eaten.
    Let A Person Live    a fast bolus    experiment=a fast meal by its bolus    controller=basal-bolus
    ...    duration=8 h    eat=01:00 60 g
    Let A Person Live    half over 2 h    experiment=a fast meal by its bolus    controller=basal-bolus
    ...    duration=8 h    eat=01:00 60 g    extended=50 %    over=2 h
    Let A Person Live    all over 2 h    experiment=a fast meal by its bolus    controller=basal-bolus
    ...    duration=8 h    eat=01:00 60 g    extended=100 %    over=2 h
    Let A Person Live    30 % less announced    experiment=a fast meal by its bolus    controller=basal-bolus
    ...    duration=8 h    eat=01:00 60 g    announce=01:00 42 g
    Let A Person Live    30 % more announced    experiment=a fast meal by its bolus    controller=basal-bolus
    ...    duration=8 h    eat=01:00 60 g    announce=01:00 78 g

A Slow Meal By Its Bolus
    [Documentation]    20 g of carbohydrates with 60 g of protein and 20 g of fat, whose glucose appears over hours:
    ...    without insulin for protein and fat, with the insulin of 42 g more at once, and with that over 5 h.
    Let A Person Live    carbohydrates alone    experiment=a slow meal by its bolus    controller=basal-bolus
    ...    duration=12 h    eat=01:00 20 g    slow=01:00 60 g protein 20 g fat
    Let A Person Live    all at once    experiment=a slow meal by its bolus    controller=basal-bolus
    ...    duration=12 h    eat=01:00 20 g    slow=01:00 60 g protein 20 g fat    announce=01:00 62 g
    Let A Person Live    two thirds over 5 h    experiment=a slow meal by its bolus    controller=basal-bolus
    ...    duration=12 h    eat=01:00 20 g    slow=01:00 60 g protein 20 g fat    announce=01:00 62 g
    ...    extended=68 %    over=5 h
