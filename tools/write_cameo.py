"""Write ontology/cameo.ttl: every CAMEO code with its place, words of ours, Goldstein value and match in PLOVER.

    python tools/write_cameo.py

Codes, hierarchy, Goldstein values (as rows of GDELT carry them) and the conversion to PLOVER are facts; labels and
definitions are ours. A test runs this and compares.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

TARGET = Path(__file__).parent.parent / "ontology" / "cameo.ttl"
THING = "https://w3id.org/diplograph/id/"

# Codes that no row of the sample has carry no value.
GOLDSTEIN = """
010:0.0 011:-0.1 012:-0.4 013:0.4 014:0.0 015:0.0 016:-2.0 017:0.0 018:3.4 019:3.4 020:3.0 021:3.4
0211:3.4 0213:3.4 0214:3.4 022:3.2 023:3.4 0231:3.4 0232:3.4 0233:3.4 0234:3.4 024:-0.3 0241:-0.3
0242:-0.3 0243:-0.3 0244:-0.3 025:-0.3 0253:-0.3 0256:-0.3 026:4.0 027:4.0 028:4.0 030:4.0 031:5.2
0311:5.2 0312:5.2 032:4.5 033:5.2 0331:5.2 0332:5.2 0333:5.2 0334:6.0 0341:7.0 035:7.0 0353:7.0
0356:7.0 036:4.0 037:5.0 039:5.0 040:1.0 041:1.0 042:1.9 043:2.8 044:2.5 045:5.0 046:7.0 050:3.5
051:3.4 052:3.5 053:3.8 054:6.0 055:7.0 056:7.0 057:8.0 060:6.0 061:6.4 062:7.4 063:7.4 064:7.0
070:7.0 071:7.4 072:8.3 073:7.4 074:8.5 075:7.0 080:5.0 081:5.0 082:5.0 083:5.0 0831:5.0 0833:5.0
0834:5.0 084:7.0 0841:7.0 0842:7.0 085:7.0 086:9.0 0861:9.0 0862:9.0 087:9.0 0871:9.0 0872:9.0
0873:9.0 0874:10.0 090:-2.0 091:-2.0 092:-2.0 094:-2.0 100:-5.0 101:-5.0 1013:-5.0 1014:-5.0
102:-5.0 1031:-5.0 1041:-5.0 1043:-5.0 1044:-5.0 1053:-5.0 1056:-5.0 106:-5.0 110:-2.0 111:-2.0
112:-2.0 1121:-2.0 1122:-2.0 1123:-2.0 1124:-2.0 1125:-2.0 113:-2.0 114:-2.0 115:-2.0 116:-2.0
120:-4.0 121:-4.0 122:-4.0 1233:-4.0 124:-4.0 1241:-4.0 1243:-4.0 1246:-4.0 125:-5.0 127:-5.0
128:-5.0 129:-5.0 130:-4.4 131:-5.8 1312:-5.8 1313:-5.8 133:-5.8 134:-5.8 136:-7.0 137:-7.0
138:-7.0 1383:-7.0 1384:-7.0 139:-7.0 140:-6.5 141:-6.5 142:-6.5 143:-6.5 144:-7.5 145:-7.5
150:-7.2 151:-7.2 152:-7.2 153:-7.2 154:-7.2 160:-4.0 161:-4.0 162:-5.6 1622:-5.6 163:-8.0 164:-7.0
166:-7.0 1662:-7.0 170:-7.0 171:-9.2 1711:-9.2 1712:-9.2 172:-5.0 1721:-5.0 1723:-5.0 1724:-5.0
173:-5.0 174:-5.0 175:-9.0 180:-9.0 181:-9.0 182:-9.5 1821:-9.0 1822:-9.0 1823:-10.0 183:-10.0
1831:-10.0 1832:-10.0 185:-8.0 186:-10.0 190:-10.0 191:-9.5 192:-9.5 193:-10.0 194:-10.0 195:-10.0
196:-9.5 201:-9.5 202:-10.0 203:-10.0
"""

# What is asked for, offered or refused, by the last digit of the codes 021–025, 031–035, 101–105 and 121–124.
COOPERATION = ("economic cooperation", "military cooperation", "judicial cooperation", "shared intelligence")
AID = ("economic aid", "military aid", "humanitarian aid", "military protection or peacekeepers")
REFORM = ("a change of leadership", "a change of policy", "more rights", "a change of institutions or regime")
YIELDING = (
    "easing of administrative sanctions", "tolerance of dissent", "release of people or property",
    "easing of economic sanctions", "access for international bodies", "military de-escalation",
)  # fmt: skip
FIELDS = ("economic", "military", "legal", "intelligence")
AID_FIELDS = ("economic", "military", "humanitarian", "peacekeeping")
# Contexts of reform differ between intents and the rest in PLOVER's table; of yielding likewise.
REFORM_FIELDS = {
    "03": ("political_institutions", "executive", "rights_freedoms", "political_institutions"),
    "10": ("executive", "executive", "rights_freedoms", "political_institutions"),
}
YIELDING_FIELDS = {
    "03": ("rights_freedoms", "", "rights_freedoms", "economic", "diplomatic", "military"),
    "10": ("legal", "legal", "legal", "economic", "diplomatic", "military"),
    "12": ("executive", "", "legal", "economic", "diplomatic", "military"),
}

# Root: label, definition, PLOVER ("=" for a close match), quad class as GDELT's rows have it (09 and 14 surprise).
VC, MC, VX, MX = "verbal-cooperation", "material-cooperation", "verbal-conflict", "material-conflict"
ROOTS = {
    "01": ("Make public statement", "Says something in public that is no request, promise, praise or blame; PLOVER has nothing like it.", "", VC),
    "02": ("Appeal", "Asks others in public to do something, without demanding it.", "request", VC),
    "03": ("Express intent to cooperate", "Says that one is ready to cooperate.", "=agree", VC),
    "04": ("Consult", "Talks with others, of any kind.", "=consult", VC),
    "05": ("Engage in diplomatic cooperation", "Backs somebody by words or diplomatic acts.", "=support", VC),
    "06": ("Engage in material cooperation", "Does something together with others.", "=cooperate", MC),
    "07": ("Provide aid", "Gives help in money, kind or people.", "=aid", MC),
    "08": ("Yield", "Gives way to others, by lifting a rule or pulling back; PLOVER has two types for it.", "", MC),
    "09": ("Investigate", "Looks into what somebody did, without saying yet that it was wrong.", "accuse-investigate", MC),
    "10": ("Demand", "Requires that others do something.", "=request", VX),
    "11": ("Disapprove", "Blames somebody, or takes them to court or before the public.", "=accuse", VX),
    "12": ("Reject", "Says no.", "=reject", VX),
    "13": ("Threaten", "Says that one will do harm unless others act as wished.", "=threaten", VX),
    "14": ("Protest", "Civilians show in public that they are against something.", "=protest", VX),
    "15": ("Exhibit force posture", "Readies or shows police or soldiers, without using them.", "=mobilize", MX),
    "16": ("Reduce relations", "Breaks off or cuts back what one had with others.", "=sanction", MX),
    "17": ("Coerce", "Represses, or takes measures against somebody short of violence.", "=coerce", MX),
    "18": ("Assault", "Uses force other than that of regular armies.", "assault", MX),
    "19": ("Fight", "Uses the arms of regular forces.", "assault", MX),
    "20": ("Use unconventional mass violence", "Kills or drives out people in great numbers, or uses weapons that do.", "assault", MX),
}  # fmt: skip

# Every other code that belongs to no family: label, definition, PLOVER, contexts.
CODES = """
010|Make statement|Says something in public, of no kind that has a code of its own.||
011|Decline to comment|Refuses to say anything on a matter.||
012|Speak pessimistically|Says in public that matters look bad.||
013|Speak optimistically|Says in public that matters look good.||
014|Consider a policy|Says that a course of action is being weighed.||
015|Claim responsibility|Says that one did what was done.||
016|Deny responsibility|Says that one did not do what was done.||
017|Act symbolically|Does something that counts as a sign, such as laying a wreath.||
018|Express sympathy|Says that one feels with somebody.||
019|Express agreement|Says that one shares a view.||
020|Appeal, unspecified|Asks for something that has no code of its own.|request|
021|Appeal for material cooperation|Asks others in public to do something together, not said what.|request-assist|
022|Appeal for diplomatic support|Asks others in public to back one's policy.|request-assist|diplomatic
023|Appeal for aid|Asks others in public for help, not said of which kind.|request-assist|
024|Appeal for political reform|Asks others in public to change how they govern.|request-change|political_institutions
025|Appeal to yield|Asks others in public to give way.|request-yield|
026|Appeal to others to meet|Asks third parties to meet or negotiate.|request-meet|diplomatic
027|Appeal to others to settle a dispute|Asks third parties to end a quarrel.|request-meet|diplomatic
028|Appeal to others to accept mediation|Asks third parties to mediate or to let somebody mediate.|request-meet|diplomatic
030|Intent to cooperate, unspecified|Says that one is ready for something that has no code of its own.|agree|diplomatic
031|Intent of material cooperation|Says that one is ready to do something together.|agree|diplomatic
032|Intent of diplomatic support|Says that one is ready to back another's policy.|agree|diplomatic
033|Intent to give aid|Says that one is ready to help, not said how.|agree|diplomatic
034|Intent of political reform|Says that one is ready to change how one governs.|agree|political_institutions
035|Intent to yield|Says that one is ready to give way.|agree|
036|Express intent to meet or negotiate|Says that one is ready to meet or negotiate.|agree|diplomatic
037|Intent to settle a dispute|Says that one is ready to end a quarrel.|agree|diplomatic
038|Intent to accept mediation|Says that one is ready to let somebody mediate.|agree|diplomatic
039|Intent to mediate|Says that one is ready to mediate between others.|agree|diplomatic
040|Consult, unspecified|Talks with others, of no kind that has a code of its own.|consult|
041|Talk by telephone|Talks with others from afar.|=consult-phone|
042|Make a visit|Travels to others to talk with them.|consult-visit|
043|Host a visit|Receives others to talk with them.|consult-visit|
044|Meet at a third place|Talks with others where neither is host.|=consult-third-party|
045|Mediate|Talks with others so that they settle their quarrel.|consult|diplomatic
046|Engage in negotiation|Bargains with others over a matter.|consult|diplomatic
050|Diplomatic cooperation, unspecified|Backs somebody in a way that has no code of its own.|support|diplomatic
051|Praise|Speaks well of somebody or something.|support|diplomatic
052|Defend in words|Speaks up for somebody who is blamed.|support|diplomatic
053|Rally support for somebody|Calls on others to back somebody.|support|diplomatic
054|Recognise diplomatically|Recognises a state or a government.|support|diplomatic
055|Apologise|Says that one is sorry for what one did.|support|diplomatic
056|Forgive|Says that one bears no grudge any more.|support|diplomatic
057|Sign formal agreement|Puts one's name to a treaty or contract.|support|diplomatic
060|Material cooperation, unspecified|Does something together with others that has no code of its own.|cooperate|
061|Cooperate economically|Trades, invests or builds together with others.|cooperate|economic
062|Cooperate militarily|Trains, exercises or arms together with others.|cooperate|military
063|Engage in judicial cooperation|Helps another's courts or police.|cooperate|legal
064|Share intelligence|Gives another what one's services know.|cooperate|intelligence
070|Aid, unspecified|Gives help of no kind that has a code of its own.|aid|
071|Give economic aid|Gives money, credit or goods.|aid|economic
072|Give military aid|Gives arms, training or soldiers.|aid|military
073|Give humanitarian aid|Gives food, medicine or rescue to people in need.|aid|humanitarian
074|Give protection or peacekeepers|Sends forces that keep others safe or keep a peace.|aid|peacekeeping
075|Grant asylum|Takes in people who seek refuge.|aid|asylum
080|Yield, unspecified|Gives way in a manner that has no code of its own.|concede|
081|Ease administrative sanctions|Lifts or softens an order of the authorities.|concede|legal
0811|Ease limits on political freedoms|Lets people speak or gather more freely.|concede|democracy
0812|Ease a ban on parties or politicians|Lets a party or a politician work again.|concede|democracy
0813|Ease a curfew|Lets people out at hours that were forbidden.|retreat|legal
0814|Ease a state of emergency|Ends or softens emergency or martial law.|retreat|legal
082|Calm dissent|Protesters give up or tone down what they did.|concede|democracy
083|Grant political reform|Gives way to calls for reform, not said of what.|concede|political_institutions
0831|Grant a change of leadership|Gives way to calls that somebody step down or in.|concede|political_institutions
0832|Grant a change of policy|Gives way to calls for another policy.|concede|executive
0833|Grant rights|Gives way to calls for rights.|concede|rights_freedoms
0834|Grant a change of institutions|Gives way to calls for another regime or constitution.|concede|political_institutions
084|Return or release|Gives back people or things, not said which.|retreat|
0841|Release people|Lets prisoners or hostages go.|=retreat-release|legal
0842|Return property|Gives back what was taken.|=retreat-return|legal
085|Ease economic sanctions|Lifts or softens an embargo, boycott or sanctions.|retreat|economic
086|Let international bodies in|Accepts outsiders on one's soil, not said which.|retreat-access|diplomatic
0861|Receive peacekeepers|Lets peacekeepers in.|retreat-access|peacekeeping
0862|Receive inspectors|Lets inspectors in.|retreat-access|diplomatic
0863|Let humanitarian aid through|Lets relief reach those in need.|retreat-access|humanitarian
087|De-escalate militarily|Does less with one's forces, not said what.|retreat-disarm|military
0871|Declare a ceasefire|Stops fighting, for a time or for good.|=retreat-ceasefire|military
0872|Ease a military blockade|Lets through what soldiers held up.|retreat-withdraw|military
0873|Demobilise|Sends soldiers home or lays down arms.|retreat-disarm|military
0874|Retreat or surrender|Leaves the field or gives oneself up.|retreat-disarm|military
090|Investigate, unspecified|Looks into something that has no code of its own.|accuse-investigate|
091|Investigate crime or corruption|Looks into a crime or a bribe.|accuse-investigate|crime corruption
092|Investigate human rights abuses|Looks into how people were treated.|accuse-investigate|human_rights
093|Investigate military action|Looks into what soldiers did.|accuse-investigate|military
094|Investigate war crimes|Looks into crimes committed in a war.|accuse-investigate|military legal
100|Demand, unspecified|Requires something that has no code of its own.|request|
101|Demand material cooperation|Requires that others do something together, not said what.|request-assist|
102|Demand diplomatic support|Requires that others back one's policy.|request-assist|diplomatic
103|Demand aid|Requires help, not said of which kind.|request-assist|
104|Demand political reform|Requires that others change how they govern.|request-change|political_institutions
105|Demand that others yield|Requires that others give way, not said in what.|request-change|legal
106|Demand a meeting|Requires that others meet or negotiate.|request-meet|diplomatic
107|Demand that a dispute be settled|Requires that others end a quarrel.|request-meet|diplomatic
108|Demand mediation|Requires that somebody mediate or be let to.|request-meet|diplomatic
110|Disapprove, unspecified|Blames somebody in a way that has no code of its own.|accuse-disapprove|
111|Criticise|Speaks ill of somebody or of what they do.|accuse-disapprove|
112|Accuse|Says that somebody did wrong, not said what.|accuse-disapprove|
1121|Accuse of crime or corruption|Says that somebody broke the law or took bribes.|accuse-allege|crime corruption
1122|Accuse of human rights abuses|Says that somebody treats people unlawfully.|accuse-allege|human_rights
1123|Accuse of aggression|Says that somebody attacked.|accuse-allege|military
1124|Accuse of war crimes|Says that somebody committed crimes in a war.|accuse-allege|military legal
1125|Accuse of spying or treason|Says that somebody spied or betrayed their country.|accuse-allege|legal
113|Rally opposition|Calls on others to turn against somebody.|accuse-disapprove|
114|Complain officially|Hands over a protest in due form.|accuse-allege|diplomatic
115|Sue|Takes somebody to court.|accuse-allege|legal
116|Find guilty|A court decides that somebody did wrong.|accuse-disapprove|legal
120|Reject, unspecified|Says no to something that has no code of its own.|reject|
121|Reject material cooperation|Says no to doing something together, not said what.|reject-assist|
122|Reject a call for aid|Says no to giving help, not said of which kind.|reject-assist|
123|Reject a call for reform|Says no to changing how one governs.|reject-change|political_institutions
124|Refuse to yield|Says that one will not give way, not said in what.|reject-change|
125|Refuse to meet|Says no to talks.|reject-meet|diplomatic
126|Reject mediation|Says no to somebody's mediating.|reject-meet|diplomatic
127|Reject a settlement|Says no to a plan that would end a quarrel.|reject-meet|diplomatic
128|Defy law or norms|Does knowingly what is not allowed.|reject-yield|legal
129|Veto|Stops a decision by one's vote.|reject-yield|diplomatic
130|Threaten, unspecified|Threatens in a way that has no code of its own.|threaten|
131|Threaten without force|Threatens with measures short of force, not said which.|threaten|
1311|Threaten to cut aid|Says that help will be cut or ended.|threaten-relations|
1312|Threaten sanctions|Says that an embargo, boycott or sanctions will come.|threaten-restrict|economic
1313|Threaten to break relations|Says that relations will be cut back or broken off.|threaten-relations|diplomatic
132|Threaten administrative sanctions|Says that the authorities will forbid something, not said what.|threaten-ban|executive
1321|Threaten limits on freedoms|Says that political freedoms will be cut.|threaten-restrict|human_rights
1322|Threaten to ban parties or politicians|Says that a party or a politician will be banned.|threaten-ban|pro_autocracy
1323|Threaten a curfew|Says that people will have to stay in.|threaten-restrict|pro_autocracy
1324|Threaten a state of emergency|Says that emergency or martial law will come.|threaten-restrict|pro_autocracy
133|Threaten protest|Says that people will take to the streets.|threaten-relations|
134|Threaten to halt negotiations|Says that talks will end.|threaten-relations|diplomatic
135|Threaten to halt mediation|Says that mediation will end.|threaten-relations|diplomatic
136|Threaten to throw out international bodies|Says that outsiders will have to leave.|threaten-expel|diplomatic
137|Threaten violent repression|Says that dissent will be put down by force.|threaten-violence|pro_autocracy
138|Threaten military force|Says that soldiers will be used, not said how.|threaten-violence|military
1381|Threaten a blockade|Says that ways will be blocked by soldiers.|threaten-restrict|military
1382|Threaten occupation|Says that land will be occupied.|=threaten-territory|military
1383|Threaten unconventional violence|Says that terror or the like will be used.|threaten-violence|military
1384|Threaten a conventional attack|Says that regular forces will attack.|threaten-violence|military
1385|Threaten weapons of mass destruction|Says that such weapons will be used.|threaten-violence|cbrn
139|Give an ultimatum|Sets a term after which something bad will follow.|threaten-relations|diplomatic
140|Protest, unspecified|People protest in a way that has no code of its own.|protest|
141|Demonstrate|People march or gather, not said for what.|protest-demo|
142|Go on hunger strike|People refuse food, not said for what.|protest-hunger|
143|Strike or boycott|People refuse work or trade, not said for what.|protest-boycott|
144|Block passage|People block roads or doors, not said for what.|protest-obstruct|
145|Riot|People protest by violence, not said for what.|protest-riot|
150|Show force, unspecified|Shows police or soldiers in a way that has no code of its own.|mobilize|
151|Raise the police's alert|Puts the police on higher alert.|mobilize-police|
152|Raise the military's alert|Puts soldiers on higher alert.|mobilize-troops|military
153|Mobilise police|Calls up or sends out more police.|mobilize-police|
154|Mobilise armed forces|Calls up or sends out more soldiers.|mobilize-troops|military
160|Reduce relations, unspecified|Cuts back relations in a way that has no code of its own.|sanction|
161|Break off diplomatic relations|Cuts back or ends relations between states.|sanction-withdraw|diplomatic
162|Cut aid|Cuts back or ends help, not said which.|sanction-discontinue|human_security
1621|Cut economic aid|Cuts back or ends economic help.|sanction-discontinue|economic
1622|Cut military aid|Cuts back or ends military help.|sanction-discontinue|military
1623|Cut humanitarian aid|Cuts back or ends relief.|sanction-discontinue|humanitarian
163|Impose economic sanctions|Forbids trade or payments with somebody.|coerce-restrict|diplomatic
164|Halt negotiations|Ends or suspends talks.|sanction-withdraw|diplomatic
165|Halt mediation|Ends or suspends mediation.|sanction-withdraw|diplomatic
166|Throw out or pull out international bodies|Makes outsiders leave, or calls one's own back, not said whom.|sanction-expel|diplomatic
1661|Throw out or pull out peacekeepers|Makes peacekeepers leave, or calls them back.|sanction-expel|military
1662|Throw out or pull out inspectors|Makes inspectors or observers leave, or calls them back.|sanction-expel|diplomatic
1663|Throw out or pull out aid agencies|Makes helpers leave, or calls them back.|sanction-expel|human_security
170|Coerce, unspecified|Puts pressure on somebody in a way that has no code of its own.|coerce|
171|Seize or damage property|Takes or harms what others own, not said which.|coerce-seize|human_security
1711|Confiscate property|Takes what others own.|coerce-seize|human_security
1712|Destroy property|Wrecks what others own.|assault-destroy|human_security
172|Impose administrative sanctions|Limits what people may do by an order of the authorities.|coerce-restrict|executive
1721|Limit political freedoms|Forbids people to speak, publish or gather.|coerce-restrict|rights_freedoms
1722|Ban parties or politicians|Forbids a party or bars a politician.|=coerce-ban|pro_autocracy
1723|Impose a curfew|Forbids people to go out.|=coerce-curfew|pro_autocracy
1724|Impose a state of emergency|Puts emergency or martial law into force.|=coerce-martial-law|pro_autocracy
173|Arrest or detain|Detains people or charges them.|=coerce-arrest|legal
174|Expel or deport individuals|Makes people leave a country.|=coerce-deport|legal
175|Repress violently|Puts down dissent by force.|assault|military pro_autocracy
180|Use unconventional violence|Uses violence in a way that has no code of its own.|assault|
181|Abduct or hijack|Takes people or vehicles by force.|assault-abduct|
182|Assault bodily|Harms people bodily, not said how.|assault-beat|
1821|Assault sexually|Forces people to sexual acts.|=assault-sexual|
1822|Torture|Torments people who are held.|=assault-torture|
1823|Kill by bodily assault|Beats or stabs people to death.|assault|
183|Bomb by other than military means|Sets off a bomb, not said how.|assault-suicide-attack|
1831|Bomb as a suicide attacker|Dies with the bomb that one sets off.|assault-suicide-attack|
1832|Bomb with a car|Sets off a bomb in a vehicle.|assault-explosives|
1833|Bomb a roadside|Sets off a bomb beside a road.|assault-explosives|
184|Use people as shields|Puts people where an attack would hit them.|assault-abduct|
185|Attempt to assassinate|Tries to kill a person of note.|assault-assassinate|
186|Assassinate|Kills a person of note.|assault-assassinate|
190|Use conventional military force|Uses military force in a way that has no code of its own.|assault|military
191|Impose a blockade|Stops movement by soldiers.|coerce-restrict|military
192|Occupy territory|Holds land by soldiers.|coerce-seize|military
193|Fight with small arms|Shoots with what a soldier carries.|=assault-firearms|military
194|Fight with artillery and tanks|Shoots with guns that need a crew.|assault-heavy-weapons|military
195|Employ aerial weapons|Attacks from the air.|assault-heavy-weapons|military
196|Break a ceasefire|Fights on although a truce was agreed.|assault|legal military
200|Mass violence, unspecified|Harms great numbers in a way that has no code of its own.|assault-massacre|military
201|Expel people in masses|Drives out great numbers of people.|assault-cleansing|religion_ethnicity
202|Kill people in masses|Kills great numbers of people.|assault-massacre|religion_ethnicity
203|Cleanse ethnically|Drives out or kills people for what they are.|assault-cleansing|religion_ethnicity
204|Use weapons of mass destruction|Uses such weapons, not said which.|assault-unconventional|cbrn
2041|Use chemical, biological or radiological weapons|Uses poison, germs or radiation.|assault-unconventional|cbrn
2042|Explode nuclear weapons|Sets off a nuclear weapon.|assault-unconventional|cbrn
"""

# The ways of protest: code, label, mode; what for is the last digit.
PROTESTS = {"141": ("Demonstrate", "demo"), "142": ("Hunger strike", "hunger"), "143": ("Strike or boycott", "boycott"),
            "144": ("Block passage", "obstruct"), "145": ("Riot", "riot")}  # fmt: skip
Row = tuple[str, str, str, str, str]


def main() -> None:
    """Write the file."""
    TARGET.write_text(turtle(), encoding="utf-8")


def rows() -> Iterator[Row]:
    """Yield code, label, definition, match and contexts of every code below the roots."""
    for line in CODES.strip().splitlines():
        code, label, definition, match, contexts = line.split("|")
        yield code, label, definition, match, contexts
    asking = {"02": ("Appeal for", "Asks others in public for"), "10": ("Demand", "Requires")}
    for root, (label, verb) in asking.items():
        yield from _family(root + "1", COOPERATION, FIELDS, label, verb, "request-assist")
        yield from _family(root + "3", AID, AID_FIELDS, label, verb, "request-assist")
        yield from _family(root + "4", REFORM, REFORM_FIELDS["10"], label, verb, "request-change")
        yield from _family(root + "5", YIELDING, YIELDING_FIELDS["10"], label, verb, "request-yield")
    label, verb = "Intent of", "Says that one is ready for"
    yield from _family("031", COOPERATION, FIELDS, label, verb, "agree")
    yield from _family("033", AID, AID_FIELDS, label, "Says that one is ready to give", "agree")
    yield from _family("034", REFORM, REFORM_FIELDS["03"], label, verb, "agree")
    yield from _family("035", YIELDING, YIELDING_FIELDS["03"], label, verb, "agree")
    label, verb = "Reject", "Says no to"
    # GDELT's list has no code 1214.
    yield from _family("121", COOPERATION[:3], FIELDS, label, verb, "reject-assist")
    yield from _family("122", AID, AID_FIELDS, label, "Says no to giving", "reject-assist")
    yield from _family("123", REFORM, REFORM_FIELDS["10"], label, verb, "reject-change")
    for row in _family("124", YIELDING, YIELDING_FIELDS["12"], label, verb, "reject-yield"):
        code, words, definition, match, contexts = row
        yield code, words, definition, "reject-change" if code in {"1241", "1242"} else match, contexts
    for code, (label, mode) in PROTESTS.items():
        for row in _family(code, REFORM, REFORM_FIELDS["10"], f"{label} for", "", f"protest-{mode}"):
            yield row[0], row[1], f"{label}, to get {REFORM[int(row[0][-1]) - 1]}.", row[3], row[4]


def _family(
    above: str, things: tuple[str, ...], fields: tuple[str, ...], label: str, verb: str, match: str
) -> Iterator[Row]:
    for number, (thing, field) in enumerate(zip(things, fields, strict=False), start=1):
        yield f"{above}{number}", f"{label} {thing}", f"{verb} {thing}.", match, field


def turtle() -> str:
    """Return the content of the file."""
    goldstein = dict(pair.split(":") for pair in GOLDSTEIN.split())
    every = {code: (label, definition, match, "") for code, (label, definition, match, _) in ROOTS.items()}
    every |= {code: tuple(rest) for code, *rest in rows()}  # type: ignore[misc]
    blocks = [HEAD]
    for code in sorted(every):
        label, definition, match, contexts = every[code]
        blocks.append(_concept(code, label, definition, match, contexts.split(), goldstein.get(code)))
    return "\n".join(blocks)


def _concept(
    code: str, label: str, definition: str, match: str, contexts: list[str], value: str | None
) -> str:
    facts = [
        "a dg:EventType, skos:Concept",
        f'rdfs:label "{label}"@en',
        f'skos:prefLabel "{label}"@en',
        f'skos:notation "{code}"',
        f'skos:definition "{definition}"@en',
        f"skos:inScheme <{THING}scheme/cameo>",
        f"skos:topConceptOf <{THING}scheme/cameo>"
        if len(code) == 2
        else f"skos:broader <{THING}event-type/cameo-{code[:-1]}>",
    ]
    if match:
        relation = "closeMatch" if match.startswith("=") else "broadMatch"
        facts.append(f"skos:{relation} <{THING}event-type/plover-{match.lstrip('=')}>")
    facts += [f"skos:relatedMatch <{THING}event-context/{context.replace('_', '-')}>" for context in contexts]
    facts.append(f"dg:quadClass <{THING}quad-class/{ROOTS[code[:2]][3]}>")
    if value is not None:
        facts.append(f"dg:goldstein {value}")
    return f"<{THING}event-type/cameo-{code}> " + " ;\n  ".join(facts) + " .\n"


HEAD = f"""# CAMEO's event codes (SKOS). Written by tools/write_cameo.py; change that and run it.
#
# skos:notation keeps leading zeros; dg:goldstein is the value that rows of GDELT carry for the code, and is absent where
# the rows at hand have none. Matches lead to PLOVER after its own conversion table of 2021, which leaves out 01 and 02
# (02 is matched here to REQUEST, which takes in appeals) and names a few modes that its manual has not: there the type,
# or the mode that is meant, stands. Contexts of that table are related matches.

@prefix dg: <https://w3id.org/diplograph/ontology#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix vann: <http://purl.org/vocab/vann/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .

<https://w3id.org/diplograph/ontology/cameo> a owl:Ontology ;
  owl:versionIRI <https://w3id.org/diplograph/ontology/cameo/0.1.0> ;
  owl:versionInfo "0.1.0" ;
  dcterms:publisher "The diplograph authors" ;
  dcterms:created "2026-11-25T00:00:00Z"^^xsd:dateTime ;
  dcterms:bibliographicCitation "The diplograph authors: CAMEO event codes of diplograph, version 0.1.0, 2026."@en ;
  vann:preferredNamespacePrefix "id" ;
  vann:preferredNamespaceUri "https://w3id.org/diplograph/id/" ;
  rdfs:label "CAMEO event codes of diplograph"@en ;
  dcterms:title "CAMEO event codes"@en ;
  dcterms:description "Codes of Conflict and Mediation Event Observations with their hierarchy, matched to PLOVER."@en ;
  dcterms:creator "The diplograph authors" ;
  dcterms:license <https://www.apache.org/licenses/LICENSE-2.0> .

<{THING}scheme/cameo> a skos:ConceptScheme ;
  rdfs:label "CAMEO event codes"@en ;
  skos:prefLabel "CAMEO event codes"@en ;
  dcterms:description "Event codes of Conflict and Mediation Event Observations, as GDELT lists them."@en ;
  dcterms:source <https://www.gdeltproject.org/data/lookups/CAMEO.eventcodes.txt> .
"""


if __name__ == "__main__":
    main()
