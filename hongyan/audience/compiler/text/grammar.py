"""The grammar, for lark. Words of the language are lower case; full-width signs of Chinese keyboards are as good."""

from typing import Final

GRAMMAR: Final = r"""
start: or_

?or_: and_ (OR and_)*
?and_: not_ (AND not_)*
?not_: NOT not_ -> negation
     | atom

?atom: LPAR or_ RPAR -> group
     | everyone | single | did | sequence | measured | has | named | consent | comparison

everyone: EVERYONE
single: (ALL | ANY) LPAR or_ RPAR
named: (TAG | TAG_GROUP | LIST | AUDIENCE) LPAR string RPAR
consent: CONSENT LPAR string [COMMA string] RPAR EQ word
did: happened [count] [window]
sequence: happened [window] link+
link: THEN happened [WITHIN span]   -> then
    | THEN NOT happened WITHIN span -> then_not
happened: DID LPAR string [COMMA WHERE or_] RPAR
measured: MEASURE LPAR string [COMMA name] [COMMA WHERE or_] RPAR operation [window]
has: HAS LPAR string [COMMA WHERE or_] RPAR [count]
count: comparator INT [TIMES]
window: IN SPAN                   -> last
      | IN HOURS                  -> last_hours
      | BETWEEN SPAN AND SPAN AGO -> ago
      | FROM moment [TO moment]   -> since
      | TO moment                 -> until
span: SPAN | HOURS | MINUTES
!comparator: EQ | NE | GE | GT | LE | LT

comparison: name operation
operation: comparator value           -> compared
         | IN values                  -> in_
         | NOT IN values              -> not_in
         | CONTAINS value             -> contains
         | STARTS WITH value          -> starts_with
         | BETWEEN value AND value    -> between
         | BEFORE value               -> before
         | AFTER value                -> after
         | IN LAST SPAN               -> last_days
         | IN NEXT SPAN               -> next_days
         | IS SET                     -> is_set
         | IS NOT SET                 -> is_not_set
values: LPAR value (COMMA value)* RPAR

name: NAME | QUOTED_NAME
word: NAME | STRING
string: STRING
moment: STRING | INSTANT | DAY
value: STRING | NUMBER | INT | TRUE | FALSE | INSTANT | DAY

OR: "or"
AND: "and"
NOT: "not"
EVERYONE: "everyone"
ALL: "all"
ANY: "any"
TAG: "tag"
TAG_GROUP: "tag_group"
LIST: "list"
AUDIENCE: "audience"
CONSENT: "consent"
DID: "did"
WHERE: "where"
THEN: "then"
WITHIN: "within"
AGO: "ago"
MEASURE.3: /(sum|min|max|average|avg|first_at|last_at|first|last)(?=\s*[(（])/
HAS.3: /has(?=\s*[(（])/
TIMES: "times" | "time"
IN: "in"
FROM: "from"
TO: "to"
CONTAINS: "contains"
STARTS: "starts"
WITH: "with"
BETWEEN: "between"
BEFORE: "before"
AFTER: "after"
LAST: "last"
NEXT: "next"
IS: "is"
SET: "set"
TRUE: "true"
FALSE: "false"
EQ: "=" | "＝"
NE: "!=" | "≠" | "！="
GE: ">=" | "≥"
LE: "<=" | "≤"
GT: ">" | "＞"
LT: "<" | "＜"
LPAR: "(" | "（"
RPAR: ")" | "）"
COMMA: "," | "，" | "、"
INT.2: /-?\d+(?![\w.\-:])/
NUMBER.1: /-?\d+(\.\d+)?([eE][+-]?\d+)?(?![\w.:])/
SPAN.3: /\d+\s*d(ays?)?(?!\w)/
HOURS.3: /\d+\s*h(ours?)?(?!\w)/
MINUTES.3: /\d+\s*m(in(utes?)?)?(?!\w)/
INSTANT.4: /\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?([+-]\d\d:\d\d|Z)/
DAY.3: /\d{4}-\d\d-\d\d(?![\dT])/
NAME: /[^\W\d]\w*((\[\])?\.\w+|-\w+)*/
QUOTED_NAME: /`(?:[^`]|``)+`/
STRING: /"(?:[^"\\]|\\.)*"/s | /“[^”]*”/

%import common.WS
%ignore WS
%ignore /#[^\n]*/
"""
