*** Settings ***
Documentation     The way of the liquid is not what it should be: it closes slowly or in part, holds air, leaks, is
...               higher or lower than the pump, or the pressure around it changes. Alarms are to come once and to
...               stay; what no pump can know is to be missing from what is weighed, and not from the pump's account
...               of its motor.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
A Line That Closes Over Hours
    [Documentation]    Capillaries are switched into the line one after the other, then it is closed. Nobody confirms.
    [Tags]    PR-F1.16
    Deliver Through Fault    F2    rate=3 U/h    held=4 h    look_every=60 s

A Narrow Line
    [Documentation]    One that the rate passes, and one that it does not: there the pressure falls after the alarm.
    [Tags]    PR-F1.17
    Deliver Through Fault    F3 narrow         rate=1 U/h    held=1 h    look_every=60 s
    Deliver Through Fault    F3 very narrow    rate=3 U/h    held=2 h    look_every=60 s

Air In The Line
    [Documentation]    20 µL of air travel to the needle and leave it in the place of 2 U.
    [Tags]    PR-F8.1
    Deliver Through Fault    F7    rate=10 U/h    held=40 min    look_every=30 s

A Leak At A Connector
    [Documentation]    Half of what is pumped leaks away; the pump's account is held against what was weighed.
    [Tags]    PR-F8.2
    Deliver Through Fault    F8    rate=2 U/h    held=30 min    look_every=30 s

A Pump Above And Below Its Needle
    [Documentation]    The stopped pump is lifted by 1 m, and lowered by 1 m.
    [Tags]    PR-F8.3
    Deliver Through Fault    F10 raised     when=stopped    rate=1 U/h    held=30 min    look_every=30 s
    Deliver Through Fault    F10 lowered    when=stopped    rate=1 U/h    held=30 min    look_every=30 s

Pressure Of A Flight And Of A Chamber
    [Documentation]    200 mmHg less than in the room, then 1.3 times as much, and back.
    [Tags]    PR-F7.3    PR-F7.4
    Deliver Through Fault    F11 step    rate=2 U/h    held=30 min    look_every=30 s
    Deliver Through Fault    F12         rate=2 U/h    held=30 min    look_every=30 s

A Blocked Vent Of The Reservoir
    [Documentation]    5 U are pressed out; until the drive has come so far nothing comes, and the account says it did.
    [Tags]    PR-F8.5
    Deliver Through Fault    F36    rate=2 U/h    held=15 min    look_every=30 s
