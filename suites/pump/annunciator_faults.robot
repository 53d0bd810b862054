*** Settings ***
Documentation     Buzzer or vibrator fails in whatever the pump is doing: it is told of, and therapy goes on; and how
...               soon an alarm is heard. Its priority, rhythm and repetition: "alarms".
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
Therapy Does Not Stop Over A Broken Buzzer
    [Documentation]    In a bolus, in an extended bolus, while priming, and under basal delivery with an annunciation
    ...    that the buzzer is to sound.
    [Tags]    PR-A3.21
    Time Answer To Fault    F32 buzzer    bolus    size=2 U
    Time Answer To Fault    F32 buzzer    extended    size=5 U    onset=40 s
    Time Answer To Fault    F32 buzzer    priming    size=3 U
    Time Answer To Fault    F32 buzzer    alarm    rate=6 U/h    watch=100 s

Therapy Does Not Stop Over A Broken Vibrator
    [Documentation]    Under basal delivery with an annunciation pending.
    [Tags]    PR-A3.22
    Time Answer To Fault    F32 vibrator    alarm    rate=6 U/h

Alarm Is Heard At Once In An Extended Bolus And While Priming
    [Documentation]    The reservoir is taken out, and the first pulse timed in a recording.
    [Tags]    PR-A1.21
    Time Answer To Fault    F14 removed    extended    size=5 U    onset=40 s    listen=10 s
    Time Answer To Fault    F14 removed    priming    size=5 U    listen=10 s
