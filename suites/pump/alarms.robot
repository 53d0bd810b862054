*** Settings ***
Documentation     What is heard and felt of a pump's alarms: a microphone and a pickup judge, not the pump's own word.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Every Priority Is Heard In Its Own Rhythm
    [Documentation]    Three medium alarms, a low and a high one: how soon, in what rhythm, how often, and felt.
    ...    Temperature and battery are looked at once a minute, a key sticks after 3 min; the reservoir comes last,
    ...    because a pump from which it was taken wants to be primed.
    [Tags]    PR-A1.1    PR-A1.4    PR-A3.3
    Listen To Alarm    temperature    medium    due=65 s
    Listen To Alarm    battery low    medium    due=65 s
    Listen To Alarm    key held    medium    due=185 s
    Listen To Alarm    reservoir low    low    due=30 s    listen=65 s
    Listen To Alarm    reservoir out    high    due=1 s

Nobody Answers
    [Documentation]    A medium alarm, listened to at its beginning and around the time at which it becomes more urgent.
    [Tags]    PR-A1.2
    Leave Alarm Unanswered    temperature    due=65 s    escalates={alarms.escalation}

A More Urgent Alarm Comes Second
    [Documentation]    The reservoir is taken out while a medium alarm sounds.
    [Tags]    PR-A1.3
    Listen To Two Alarms    temperature    reservoir out    medium    high    first_due=65 s    then_due=1 s

A Less Urgent Alarm Comes Second
    [Documentation]    The temperature leaves its band while a high alarm sounds.
    [Tags]    PR-A1.3
    Listen To Two Alarms    reservoir out    temperature    high    medium    first_due=1 s    then_due=65 s

Alarm Is Snoozed And Confirmed
    [Documentation]    It is snoozed, comes back, is confirmed while the reservoir is out, and again when it is back.
    [Tags]    PR-A2.1    PR-A2.2
    Snooze And Confirm Alarm    reservoir out    due=1 s    snooze={alarms.snooze}

Buzzer Is Broken
    [Documentation]    A low alarm with the wire to the buzzer open: the pump finds out, and vibrates.
    [Tags]    PR-A3.1
    Listen To Alarm With Broken    buzzer    reservoir low    low    due=30 s    listen=65 s

Vibrator Is Broken
    [Documentation]    A high alarm with the wire to the vibrator open.
    [Tags]    PR-A3.2
    Listen To Alarm With Broken    vibrator    reservoir out    high    due=1 s
