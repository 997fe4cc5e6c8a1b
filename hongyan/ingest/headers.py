"""Which words people write over a column. Pure; the words are data, Chinese and English side by side."""

import re
import unicodedata

# Characters nobody sees: zero-width, byte order mark, direction marks, soft hyphen.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_NOISE = re.compile(r"[\s_\-.:/*#'\"“”]+")
_ASIDE = re.compile(r"[(\[【][^)\]】]*[)\]】]")  # 手机号码(必填), E-mail [primary]

NAMES: dict[str, str] = {
    "email": "email|e mail|mail|email address|e mail address|email addr|primary email|work email|contact email|"
    "subscriber email|邮箱|邮箱地址|电子邮件|电子邮箱|电子邮件地址|电邮|邮件|邮件地址|邮箱账号|工作邮箱|"
    "郵箱|電子郵件|電郵|信箱",
    "phone": "phone|phone number|mobile|mobile phone|mobile number|cell|cell phone|cellphone|tel|telephone|"
    "telephone number|phone no|mobile no|primary phone|contact number|手机|手机号|手机号码|电话|电话号码|联系电话|"
    "联系方式|移动电话|联系手机|手機|手機號碼|電話|聯絡電話",
    "full_name": "name|full name|fullname|contact|contact name|customer|customer name|display name|your name|"
    "姓名|名字|名称|全名|客户姓名|客户名称|联系人|联系人姓名|真实姓名|顾客姓名|会员姓名|收件人|客户|会员名|聯絡人",
    "family_name": "last name|lastname|surname|family name|familyname|lname|last|姓|姓氏",
    "given_name": "first name|firstname|given name|givenname|forename|fname|first|名",
    "external_id": "id|external id|externalid|customer id|customerid|client id|user id|userid|member id|contact id|"
    "record id|crm id|customer no|customer number|account number|编号|客户编号|客户号|会员编号|会员号|会员id|用户id|"
    "用户编号|客户id|外部编号|会员卡号|卡号|顾客编号|學號",
    # The number of the row where the file was made: kept to find the row again, never to tell people apart.
    "row_id": "rec id|recid|unique id|uniqueid|row id|row number|row no|source id|行号|记录编号|记录号|行编号",
    "sex": "sex|gender|性别|性別",
    "birth_date": "birthday|birth date|birthdate|date of birth|dob|born|生日|出生日期|出生年月日|生辰|出生年月",
    "company": "company|company name|organisation|organization|organisation name|organization name|employer|account|"
    "account name|business|公司|公司名称|单位|单位名称|企业|企业名称|工作单位|公司名稱",
    "country": "country|country code|country region|nation|国家|国家地区|国家代码|國家|所在国家|国别",
    "region": "province|state|region|state province|state region|province state|county|省|省份|州|所在省|所在省份|省市|"
    "地区|省州",
    "city": "city|town|city town|suburb|locality|城市|市|所在城市|所在市|居住城市",
    "street_number": "street number|street no|house number|house no|housenumber|门牌号|门牌",
    "street_2": "address 2|address2|address line 2|street 2|street address 2|apartment|suite|unit|地址2|地址二|"
    "楼栋|小区",
    "street": "address|street|street address|address line 1|address 1|address1|mailing address|postal address|"
    "shipping address|billing address|地址|详细地址|街道|街道地址|通讯地址|联系地址|收货地址|住址|家庭住址|通信地址",
    "postal_code": "zip|zip code|zipcode|postal code|postcode|postalcode|post code|zip postal code|邮编|邮政编码|郵編|"
    "郵遞區號|邮递区号",
    "language": "language|lang|locale|preferred language|language code|语言|语种|首选语言|偏好语言|語言",
    "time_zone": "time zone|timezone|tz|iana time zone|时区|時區",
    "tags": "tags|tag|labels|label|keywords|groups|标签|客户标签|标记|分组|標籤",
    "notes": "notes|note|comment|comments|remark|remarks|description|memo|备注|说明|附注|描述|備註|注释|留言",
}


def plain(header: str) -> str:
    """A header without what differs between systems: case, width, spaces, punctuation, asides, invisible characters.

    >>> plain("\\ufeff Ｅ-Mail (必填)"), plain("First_Name"), plain("手机 号码")
    ('email', 'firstname', '手机号码')
    """
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", header)).casefold()
    return _NOISE.sub("", _ASIDE.sub("", text)) or _NOISE.sub("", text)


_BY_NAME: dict[str, str] = {plain(name): target for target, names in NAMES.items() for name in names.split("|")}


def target_of(header: str) -> str | None:
    return _BY_NAME.get(plain(header))


# Facts that only sealed custom fields hold: key, labels in both languages, words.
SEALED = {
    "national_id": (
        "证件号码",
        "National ID",
        (
            "national id|id card|id card number|id number|identity number|ssn|social security number|soc sec id|"
            "passport|passport number|passport no|身份证|身份证号|身份证号码|证件号|证件号码|护照号|護照號碼|身分證字號"
        ),
    ),
    "birth_place": (
        "出生地",
        "Place of birth",
        "birth place|birthplace|place of birth|city of birth|出生地|出生地点|籍贯",
    ),
}
_SEALED_BY_NAME = {plain(name): key for key, (_, _, names) in SEALED.items() for name in names.split("|")}


def sealed_of(header: str) -> str | None:
    """Key of the sealed custom field that a column of this name would be."""
    return _SEALED_BY_NAME.get(plain(header))
