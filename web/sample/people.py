"""The staff of the demonstration: invented people, enough of them to walk every path of the policy (P5, P6)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SamplePerson:
    name: str
    role: str
    department: str


PEOPLE = (
    SamplePerson("周敏", "administrator", "客服部"),
    SamplePerson("唐国栋", "head", "客服部"),
    SamplePerson("郑一鸣", "registrar", "客服部"),
    SamplePerson("罗文静", "head", "春熙路店"),
    SamplePerson("孙倩", "registrar", "春熙路店"),
    SamplePerson("李莉", "employee", "春熙路店"),
    SamplePerson("高雪", "head", "剧本部"),
    SamplePerson("韩雨桐", "employee", "剧本部"),
    SamplePerson("陈思远", "operations", "运营部"),
    SamplePerson("许建平", "head", "财务部"),
    SamplePerson("林小满", "employee", "财务部"),
    SamplePerson("苏晴", "head", "法务部"),
    SamplePerson("何书衡", "management", "管理层"),
    SamplePerson("吴昊", "auditor", "内审部"),
    SamplePerson("赵铁", "system", "信息部"),
)
