# robocop: off=line-too-long
*** Settings ***
Documentation     Maxima of a bolus, of the basal rate, of an hour and of a day: what is above is refused for the right
...               reason or stopped with an alarm, and what is allowed is given in full.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Largest Bolus After Larger Ones Were Refused
    [Documentation]    What is above 25 U is refused as out of range, at once or extended, as a maximum, too, and leaves nothing
    ...    behind; so is what is less than nothing: read as a number without a sign, it is 4 U.
    [Tags]    PR-L1.2
    Weigh Course Of Commands    the largest bolus
    ...    commands=0 min: maximum bolus 25.1 U, refused as out of range; 0 min: bolus 25.1 U, refused as out of range; 0 min: bolus -0.096 U, refused as out of range; 0 min: multiwave bolus 20 U and 5.1 U over 1 h, refused as out of range; 5 min: bolus 25 U
    ...    weighed=after the refusals: 0 min to 5 min; by the bolus of 25 U: 5 min to 24 min

Lowered Maximum Of A Bolus Is Obeyed
    [Documentation]    2 U are the most: a dose more is refused, at once, extended and both together; 2 U are given.
    [Tags]    PR-L1.3
    Weigh Course Of Commands    a lowered bolus maximum
    ...    commands=0 min: maximum bolus 2 U; 0 min: bolus 2.025 U, refused as out of range; 0 min: extended bolus 2.025 U over 30 min, refused as out of range; 0 min: multiwave bolus 1 U and 1.025 U over 30 min, refused as out of range; 10 min: bolus 2 U
    ...    weighed=after the refusals: 0 min to 10 min; by the bolus of 2 U: 10 min to 15 min

Lowered Maximum Of The Basal Rate Is Obeyed
    [Documentation]    2 U/h are the most, for profiles and temporary rates; a rate of the maximum is given in full.
    [Tags]    PR-L2.1
    Weigh Course Of Commands    a lowered basal maximum    rate=1 U/h
    ...    commands=0 min: basal 35.1 U/h, refused as out of range; 0 min: maximum basal rate 2 U/h; 0 min: basal 2.025 U/h, refused as out of range; 0 min: temporary rate 2.025 U/h for 30 min, refused as out of range; 0 min: temporary rate 210 % for 30 min, refused as out of range; 30 min: temporary rate 200 % for 1 h; 90 min: see therapy run
    ...    weighed=after the refusals: 0 min to 30 min; at the maximum: 30 min to 90 min

Maximum Of An Hour Is Kept
    [Documentation]    1 U in an hour is the most: what would be more is stopped with an alarm, again when it is tried
    ...    again, until an hour has passed.
    [Tags]    PR-L3.1
    Weigh Course Of Commands    the maximum of an hour
    ...    commands=0 min: maximum of an hour 1 U; 0 min: bolus 0.6 U; 10 min: extended bolus 0.3 U over 20 min; 40 min: bolus 0.5 U; 42 min: see maximum delivery; 42 min: see therapy stop; 57 min: confirm; 57 min: run; 57 min: bolus 0.5 U; 59 min: see maximum delivery; 59 min: see therapy stop; 65 min: confirm; 65 min: run; 65 min: bolus 0.5 U
    ...    weighed=in the first hour: 0 min to 60 min; after an hour: 60 min to 75 min

Maximum Of An Hour Is Kept By Basal Delivery
    [Documentation]    2 U/h reach 1 U in 30 min: delivery stops with an alarm then.
    [Tags]    PR-L3.3
    Weigh Course Of Commands    the maximum of an hour by basal delivery    rate=2 U/h
    ...    commands=0 min: maximum of an hour 1 U; 40 min: see maximum delivery; 40 min: see therapy stop
    ...    weighed=in an hour: 0 min to 60 min

Maximum Of A Day Is Kept Over Midnight
    [Documentation]    5 U in 24 h are the most, before and after midnight by the pump's clock together.
    [Tags]    PR-L3.2
    Weigh Course Of Commands    the maximum of a day
    ...    commands=0 min: maximum of a day 5 U; 0 min: clock 23:50; 0 min: bolus 3 U; 20 min: bolus 3 U; 24 min: see maximum delivery; 24 min: see therapy stop
    ...    weighed=before midnight: 0 min to 10 min; after midnight: 10 min to 40 min
