"""A user agent as people would call the device."""

import re

_BROWSERS = (
    ("MicroMessenger", "微信 WeChat"), ("DingTalk", "钉钉 DingTalk"), ("AliApp", "支付宝 Alipay"),
    ("QQBrowser", "QQ Browser"),
    ("UCBrowser", "UC Browser"), ("MiuiBrowser", "Xiaomi Browser"), ("HuaweiBrowser", "Huawei Browser"),
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"),
    ("SamsungBrowser", "Samsung Internet"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("Thunderbird", "Thunderbird"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone", "device-mobile"),
    ("iPad", "iPad", "device-tablet"),
    ("HarmonyOS", "HarmonyOS", "device-mobile"),
    ("Android", "Android", "device-mobile"),
    ("Windows", "Windows", "device-desktop"),
    ("Mac OS X", "macOS", "device-laptop"),
    ("CrOS", "ChromeOS", "device-laptop"),
    ("Linux", "Linux", "device-desktop"),
)
_PROGRAM = re.compile(r"^([A-Za-z][\w .-]{1,40})/")


def named(agent: str) -> tuple[str, str]:
    """(name, icon); a program that is no browser is called by its own first word.

    >>> named("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1")
    ('Safari · iPhone', 'device-mobile')
    """
    system, icon = next(((name, icon) for mark, name, icon in _SYSTEMS if mark in agent), ("", "devices"))
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    if not browser and not system:
        program = _PROGRAM.match(agent)
        return (program[1] if program else agent[:40] or "—"), "devices"
    return " · ".join(filter(None, (browser, system))), icon
