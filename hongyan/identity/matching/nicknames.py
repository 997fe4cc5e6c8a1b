"""Western given names and what people are called instead. A name may belong to several families."""

_FAMILIES_TEXT = """
    abigail abby abbie gail | abraham abe bram | adelaide addie della | agnes aggie nessie | albert al bert bertie
    | alan allan allen al | alexander alex alec sandy xander sasha alek | alexandra alex sandra lexi sasha alix |
    alfred al alf alfie fred | alice allie elsie | amanda mandy | amelia millie amy | andrew andy drew andre
    andreas | angela angie | anne ann anna annie nan nancy hannah anny | antonia toni | anthony tony anton antony
    antonio | archibald archie | arthur art artie | augustus gus august | barbara barb babs barbie | bartholomew
    bart | beatrice bea trixie beatrix | benjamin ben benny benji | bernard bernie barney | bethany beth | bradley
    brad | brenda bren | bridget biddy bridie | calvin cal | cameron cam | carol caroline carrie carolyn lynn caz
    | casey case | cassandra cass cassie sandra | catherine katherine kathryn kate katie kathy cathy kay kit kitty
    cath kat cathryn katharine kathleen katy | cecilia cissy celia cecily | charles charlie chuck chas charley
    karl carl | charlotte lottie charlie lotte | christina christine chris chrissy tina kristina christie kirsten
    kristin christiane | christopher chris kit topher kris | clarence clare | claudia claude | clement clem |
    clifford cliff | constance connie | cornelius neil | curtis curt kurt | cynthia cindy | daniel dan danny
    danial | danielle dani | david dave davy davey | deborah debbie deb debra | dennis denny denis | dominic dom
    nick dominick | donald don donny | dorothy dot dottie dolly dorothea dora | douglas doug | edmund ed eddie ned
    ted | edward ed eddie ned ted teddy | edwin ed eddie | eleanor ellie nell nora nelly elinor leonora |
    elizabeth liz beth betty bess lizzie eliza elsie libby lisa betsy bessie elisabeth lizbeth elspeth | emily em
    emmy millie emma | ernest ernie | esther essie hester | eugene gene | evelyn eve evie | ferdinand ferdie |
    florence flo flossie | frances fran frankie fanny francie | francis frank frankie fran franz francois |
    franklin frank | frederick fred freddie freddy fritz frederic fredrick | gabriel gabe | gabrielle gabby gaby |
    genevieve jenny | geoffrey geoff jeff jeffrey | george georgie jorge georg | georgina georgie gina | gerald
    gerry jerry | gerard gerry | gertrude gertie trudy | gilbert gil bert | gregory greg gregg | gwendolyn gwen |
    harold harry hal | harriet hattie harrie | harrison harry | helen nell nellie ellen helena helene elena |
    henrietta etta hettie hetty | henry harry hal hank henri heinrich | herbert herb bert | herman manny | horace
    | howard howie | hubert hugh bert | hugh hughie hugo | ian iain | ignatius iggy | irene rene | isaac ike zac |
    isabella bella isabel izzy isabelle isobel | jackson jack | jacob jake jacobus | jacqueline jackie jacqui |
    james jim jimmy jamie jem jas | jane janie janet jenny jean jeanne | jason jay | jasmine jas | jennifer jen
    jenny jenni | jeremiah jerry | jeremy jerry jem | jerome jerry | jessica jess jessie | joan joanie jo | joanna
    jo joanne jan | john jack johnny jon jock johan johann juan jonny | jonathan jon nathan jonny johnathan
    jonathon | joseph joe joey jo josef jos | josephine jo josie | joshua josh | joyce joy | judith judy judi |
    julia julie jules | julian jules | juliet julie | justin jus | katrina kat trina | kenneth ken kenny | kevin
    kev | kimberly kim kimberley | kristen kris | lachlan lachie | laura laurie lauren lori | lawrence larry
    laurie lars laurence loren | leonard len lenny leo lennie | leopold leo | leslie les lesley | lewis lew louis
    lou | lillian lily lil lilian | linda lin lindy lynda | louis lou louie lewis ludwig luis | louisa lou louise
    lulu | lucille lucy | lucas luke luc lukas | lucy lucie lucia | lydia liddy | madeline maddie maddy madeleine
    madelyn | magdalene maggie lena | malcolm mal | margaret maggie meg peggy margie marge madge greta rita daisy
    margot marguerite peg margery | maria marie mary mia | marian marion | marcus mark marc markus | martha marty
    mattie patty | martin marty | mary molly polly mamie may maria marie | matilda tilly mattie maud | matthew
    matt mat matty mathew | maurice morris moe | maximilian max | maxwell max | megan meg | melanie mel | melissa
    mel missy lissa | melvin mel | michael mike mick mickey micky mikey mitch micheal michel | michelle shelly |
    mildred millie | miranda mandy randy | miriam mim | mitchell mitch | mohammed mohammad muhammad mohamed mo |
    montgomery monty | morgan mo | nancy nan | natalie nat nattie | natasha tasha nat | nathan nate nathaniel nat
    | nathaniel nate nat nathan | neil neal neill | nicholas nick nicky nico klaus nicolas nik nikolaus | nicole
    nicky nikki | nigel nige | noel nowell | norman norm | oliver ollie olly | olivia liv livvy ollie | oscar ozzy
    | oswald ozzie | pamela pam | patricia pat patty tricia trish patsy | patrick pat paddy rick padraig | paula
    polly | pauline polly | penelope penny | peter pete pieter pierre petrus | philip phil pip phillip | philippa
    pippa pip | phoebe phebe | priscilla cilla prissy | prudence prue | rachel rae shelly rachael | ralph rafe |
    randolph randy | raymond ray | rebecca becky beck becca bec rebekah | reginald reg reggie | richard dick rick
    rich ricky ritchie richie dickie | robert rob bob bobby robbie bert robin rupert | roberta bobbie | roderick
    rod rick | rodney rod | roger rog hodge | roland rolly | ronald ron ronnie ronny | rosalind roz rose |
    rosemary rose rosie | rose rosie rosa | rowena ro | rudolph rudy | russell russ | ruth ruthie | samantha sam
    sammy | samuel sam sammy | sandra sandy | sarah sally sadie sara sal | saul sol | sebastian seb bastian | sean
    shaun shawn | sharon shaz | sidney sid sydney | simon si | solomon sol | sophia sophie sophy sofia | stanley
    stan | stephanie steph stef | stephen steve stevie steven stefan | stewart stu stuart | susan sue susie suzie
    sukey susannah suzanne suzanna | sylvester sly | sylvia syl | tabitha tabby | teresa terry tess tessa theresa
    tracy therese | terence terry terrence | thaddeus thad ted | theodore ted teddy theo | theodora dora thea |
    thomas tom tommy thom | timothy tim timmy | tobias toby | tristan tris | tyler ty | ursula | valerie val |
    vanessa nessa | vera | veronica ronnie vera roni | victor vic viktor | victoria vicky tori vic vickie |
    vincent vince vinny | viola vi | virginia ginny ginger | vivian viv vivienne | walter walt wally wat | warren
    | wesley wes | wilfred wilf fred | william will bill billy willy liam wm willie wilhelm guillaume | winifred
    winnie freda | winston win | yvonne vonnie | zachary zach zac zack zachariah
"""

ROOTS: dict[str, tuple[str, ...]] = {}
for _family in _FAMILIES_TEXT.split("|"):
    _names = _family.split()
    for _name in _names:
        ROOTS[_name] = tuple(dict.fromkeys((*ROOTS.get(_name, ()), _names[0])))
