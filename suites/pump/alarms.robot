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
    Listen To Alarm    temperature    medium    due={alarms.temperature}
    Listen To Alarm    battery low    medium    due={alarms.battery_low}
    Listen To Alarm    key held    medium    due={alarms.key_held}
    Listen To Alarm    reservoir low    low    due={alarms.reservoir_low}    listen=65 s
    Listen To Alarm    reservoir out    high    due={alarms.reservoir_out}

Nobody Answers
    [Documentation]    A medium alarm, listened to at its beginning and around the time at which it becomes more urgent.
    [Tags]    PR-A1.2
    Leave Alarm Unanswered    temperature    due={alarms.temperature}    escalates={alarms.escalation}

A More Urgent Alarm Comes Second
    [Documentation]    The reservoir is taken out while a medium alarm sounds.
    [Tags]    PR-A1.3
    Listen To Two Alarms    temperature    reservoir out    medium    high
    ...    first_due={alarms.temperature}    then_due={alarms.reservoir_out}

A Less Urgent Alarm Comes Second
    [Documentation]    The temperature leaves its band while a high alarm sounds.
    [Tags]    PR-A1.3
    Listen To Two Alarms    reservoir out    temperature    high    medium
    ...    first_due={alarms.reservoir_out}    then_due={alarms.temperature}

Alarm Is Snoozed And Confirmed
    [Documentation]    It is snoozed, comes back, is confirmed while the reservoir is out, and again when it is back.
    [Tags]    PR-A2.1    PR-A2.2
    Snooze And Confirm Alarm    reservoir out    due={alarms.reservoir_out}    snooze={alarms.snooze}

Snooze As It Was Set
    [Documentation]    Set to 2 min, a snoozed alarm of the temperature comes back after 2 min; another is heard
    ...    meanwhile. Confirmed, it is heard again when the temperature leaves its band once more.
    [Tags]    PR-A2.2    PR-A2.3    PR-A2.5
    Snooze And Confirm Alarm    temperature    due={alarms.temperature}    set=2 min
    ...    meanwhile=reservoir low    meanwhile_due={alarms.reservoir_low}    comes=again

Buzzer Is Broken
    [Documentation]    A low alarm with the wire to the buzzer open: the pump finds out, and vibrates.
    [Tags]    PR-A3.1
    Listen To Alarm With Broken    buzzer    reservoir low    low    due={alarms.reservoir_low}    listen=65 s

Vibrator Is Broken
    [Documentation]    A high alarm with the wire to the vibrator open.
    [Tags]    PR-A3.2
    Listen To Alarm With Broken    vibrator    reservoir out    high    due={alarms.reservoir_out}
