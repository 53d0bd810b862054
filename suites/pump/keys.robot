*** Settings ***
Documentation     The keys of the pump, pressed by relays: what was asked for and confirmed comes, and nothing else.
Library           fixtures.robot_library.PumpBench
Test Setup        Open Bench
Test Teardown     Leave Bench Safe

*** Test Cases ***
A Quick Bolus Is What Was Asked For And Confirmed
    [Documentation]    One press of the bolus key adds 0.5 U, and the confirm key starts the bolus.
    [Tags]    PR-K1.1
    Press Keys    sequence=press, confirm
    Press Keys    sequence=double strike, confirm

A Quick Bolus That Is Not Confirmed Is Forgotten
    [Documentation]    Nothing comes without the confirm key, nor with it pressed 15 s later, nor with therapy stopped.
    [Tags]    PR-K1.2
    Press Keys    sequence=press
    Press Keys    sequence=press, wait, confirm
    Press Keys    sequence=press, confirm    therapy=stopped

Keys That Bounce Count Once
    [Documentation]    A contact that bounces at both ends of a press, that chatters without one, and second strokes.
    [Tags]    PR-K1.3
    Press Keys    sequence=bounce, confirm
    Press Keys    sequence=chatter, confirm
    Press Keys    sequence=press, confirm struck twice
    Press Keys    sequence=press, confirm, pause, confirm    step=0.1 U

A Quick Bolus Above The Maximum Is Not Given
    [Documentation]    Two presses of 2.5 U each, confirmed, with 3 U as the largest: nothing comes, not even a part.
    [Tags]    PR-K1.5
    Press Keys    sequence=double strike, confirm    step=2.5 U    maximum=3 U

A Key That Stays Down Is Annunciated
    [Documentation]    Each key is held while the pump delivers, and one from before its start.
    [Tags]    PR-K1.4
    Inject Fault While Delivering    F31 stuck
    Inject Fault While Delivering    F31 confirm stuck
    Inject Fault While Delivering    F31 stuck    when=at start
