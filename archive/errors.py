"""Every refusal and fault of Muniment: a stable code, and one table that gives each its exit code, HTTP status and words.

Raise ``MunimentError(Code.X, name=...)``; the shell (command line, web) looks the rest up here. The facts fill the
sentences, so they must never hold personal data of a customer, a secret or a path inside the server that a user need
not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from errno import EDQUOT, EFBIG, ENOSPC
from types import MappingProxyType
from typing import Protocol, runtime_checkable


class Exit(IntEnum):
    """Exit codes of the command line."""

    OK = 0
    FAULT = 1  # a defect of ours
    USAGE = 2  # the call itself is wrong
    REFUSED = 3  # the input was understood and refused
    DENIED = 4  # the person may not
    NOT_FOUND = 5
    CONFLICT = 6  # the state of things does not allow it now
    DAMAGED = 7  # what is kept is not what was filed
    UNAVAILABLE = 8  # try again later, or make room
    KEY = 9  # the master key is missing or wrong


class Code(StrEnum):
    ACCESS_DENIED = "access-denied"
    ACCOUNT_LOCKED = "account-locked"
    ADDRESS_IN_USE = "address-in-use"
    ALREADY_COMPLETED = "already-completed"
    ALREADY_HELD = "already-held"
    ALREADY_LIFTED = "already-lifted"
    ALREADY_VOID = "already-void"
    ARCHIVE_BUSY = "archive-busy"
    ARCHIVE_DAMAGED = "archive-damaged"
    ARCHIVE_EXISTS = "archive-exists"
    ARCHIVE_IN_USE = "archive-in-use"
    ARCHIVE_MISSING = "archive-missing"
    BACKUP_DAMAGED = "backup-damaged"
    BACKUP_IN_VAULT = "backup-in-vault"
    BACKUP_KEYS_TOGETHER = "backup-keys-together"
    BACKUP_KEY_VERSION = "backup-key-version"
    BACKUP_MISSING = "backup-missing"
    BACKUP_OF_OTHER = "backup-of-other"
    CASE_INCOMPLETE = "case-incomplete"
    CASE_INVALID = "case-invalid"
    CATALOGUE_LOST = "catalogue-lost"
    CATALOGUE_OLDER = "catalogue-older"
    CATEGORY_UNKNOWN = "category-unknown"
    CHECKPOINT_INVALID = "checkpoint-invalid"
    CHECKPOINT_MISMATCH = "checkpoint-mismatch"
    CONVERSION_CRASHED = "conversion-crashed"
    CONVERSION_TIMEOUT = "conversion-timeout"
    CONVERSION_TOO_LARGE = "conversion-too-large"
    COPY_GONE = "copy-gone"
    CREDENTIALS_WRONG = "credentials-wrong"
    DATE_INVALID = "date-invalid"
    DATE_NOT_POSSIBLE = "date-not-possible"
    DISK_FULL = "disk-full"
    DOCUMENT_ALTERED = "document-altered"
    DOCUMENT_MISSING = "document-missing"
    DOCUMENT_UNREADABLE = "document-unreadable"
    EVIDENCE_EMPTY = "evidence-empty"
    EVIDENCE_ENCRYPTED = "evidence-encrypted"
    EVIDENCE_INFECTED = "evidence-infected"
    EVIDENCE_KIND = "evidence-kind"
    EVIDENCE_NAME = "evidence-name"
    EVIDENCE_NOT_A_FILE = "evidence-not-a-file"
    EVIDENCE_REFUSED = "evidence-refused"
    EVIDENCE_TOO_LARGE = "evidence-too-large"
    EVIDENCE_TOO_MANY_PAGES = "evidence-too-many-pages"
    EVIDENCE_UNREADABLE = "evidence-unreadable"
    EVIDENCE_UNSCANNED = "evidence-unscanned"
    FILE_NOT_FOUND = "file-not-found"
    FORM_EXPIRED = "form-expired"
    FORM_TOO_LARGE = "form-too-large"
    GLYPH_MISSING = "glyph-missing"
    HOLDS_SEVERAL = "holds-several"
    HOLD_NOT_FOUND = "hold-not-found"
    INDEX_FULL = "index-full"
    INDEX_UNAVAILABLE = "index-unavailable"
    INDEX_UNUSABLE = "index-unusable"
    INTERNAL = "internal"
    KEY_GUARDED = "key-guarded"
    KEY_JOURNAL_MISSING = "key-journal-missing"
    KEY_JOURNAL_OF_OTHER = "key-journal-of-other"
    KEY_MISSING = "key-missing"
    KEY_PERMISSIONS = "key-permissions"
    KEY_REFUSED = "key-refused"
    KEY_UNREACHABLE = "key-unreachable"
    KEY_WRONG = "key-wrong"
    LEDGER_DAMAGED = "ledger-damaged"
    LEVEL_UNKNOWN = "level-unknown"
    NAME_INVALID = "name-invalid"
    NAME_TAKEN = "name-taken"
    NOTHING_TO_IMPORT = "nothing-to-import"
    OCR_MISSING = "ocr-missing"
    OUTPUT_EXISTS = "output-exists"
    OWN_REQUEST = "own-request"
    PACKAGE_DAMAGED = "package-damaged"
    PAGE_NOT_FOUND = "page-not-found"
    PASSPHRASE_WRONG = "passphrase-wrong"
    PASSWORD_WEAK = "password-weak"
    PATH_NOT_FOUND = "path-not-found"
    PATH_UNUSABLE = "path-unusable"
    PEOPLE_DIFFER = "people-differ"
    PERIOD_INVALID = "period-invalid"
    PERMANENT_NOT_ALLOWED = "permanent-not-allowed"
    PERSON_NOT_FOUND = "person-not-found"
    PURPOSE_UNKNOWN = "purpose-unknown"
    QUARANTINE_UNKNOWN = "quarantine-unknown"
    QUERY_INVALID = "query-invalid"
    REASON_MISSING = "reason-missing"
    REASON_UNFIT = "reason-unfit"
    RECORDING_CLOSED = "recording-closed"
    REFERENCE_INVALID = "reference-invalid"
    REQUEST_NOT_FOUND = "request-not-found"
    REQUEST_STATE = "request-state"
    REQUEST_TOO_LARGE = "request-too-large"
    ROLE_UNKNOWN = "role-unknown"
    SANDBOX_UNAVAILABLE = "sandbox-unavailable"
    SCANNER_UNAVAILABLE = "scanner-unavailable"
    SCHEME_INVALID = "scheme-invalid"
    SEARCHES_TOO_MANY = "searches-too-many"
    SEARCH_NAME_INVALID = "search-name-invalid"
    SERVER_RUNNING = "server-running"
    SETTING_INVALID = "setting-invalid"
    SETTING_UNKNOWN = "setting-unknown"
    SIGN_IN_REQUIRED = "sign-in-required"
    UPLOAD_TOO_LARGE = "upload-too-large"
    VAULT_DAMAGED = "vault-damaged"
    VAULT_OCCUPIED = "vault-occupied"
    VAULT_REFUSED = "vault-refused"
    VAULT_THERE = "vault-there"
    VAULT_UNLOCKED = "vault-unlocked"
    VAULT_UNREACHABLE = "vault-unreachable"
    VOUCHER_INVALID = "voucher-invalid"


@dataclass(frozen=True, slots=True)
class Meaning:
    exit: Exit
    http: int
    zh: str
    en: str


def _m(exit_code: Exit, http: int, zh: str, en: str) -> Meaning:
    return Meaning(exit_code, http, zh, en)


TABLE: Mapping[Code, Meaning] = MappingProxyType(
    {
        Code.ACCESS_DENIED: _m(
            Exit.DENIED,
            403,
            "您没有进行此操作的权限。如确有需要，请提交查阅申请或联系档案管理员。",
            "You may not do this. If you need it, make an access request or ask the archive administrator.",
        ),
        Code.ACCOUNT_LOCKED: _m(
            Exit.DENIED,
            429,
            "登录失败次数过多，请 {minutes} 分钟后再试。",
            "Too many failed sign-ins. Try again in {minutes} minutes.",
        ),
        Code.ADDRESS_IN_USE: _m(
            Exit.CONFLICT,
            503,
            "无法在 {address} 上提供服务（{problem}）。请用 --port 指定其他端口。",
            "Cannot serve on {address} ({problem}). Name another port with --port.",
        ),
        Code.ALREADY_COMPLETED: _m(
            Exit.CONFLICT,
            409,
            "{reference} 已于 {date} 办结，办结日期不能再改。",
            "{reference} was completed on {date}; the completion date cannot be changed.",
        ),
        Code.ALREADY_HELD: _m(
            Exit.CONFLICT,
            409,
            "{reference} 已因同一理由冻结（第 {hold} 号冻结）。",
            "{reference} is held for this very reason already (hold {hold}).",
        ),
        Code.ALREADY_LIFTED: _m(
            Exit.CONFLICT,
            409,
            "第 {hold} 号冻结早已解除。",
            "Hold {hold} was lifted already.",
        ),
        Code.ALREADY_VOID: _m(Exit.CONFLICT, 409, "{reference} 已经作废。", "{reference} is void already."),
        Code.ARCHIVE_BUSY: _m(
            Exit.UNAVAILABLE,
            503,
            "档案库正忙，请稍后重试。",
            "The archive is busy. Try again in a moment.",
        ),
        Code.ARCHIVE_DAMAGED: _m(
            Exit.DAMAGED,
            503,
            "档案库的文件 {path} 丢失或损坏，已停止启动。archive.json 可由 muniment safeguard 依密钥日志重写；catalogue.db 请从备份恢复，没有备份而丢失时，运行 muniment rebuild。",
            "{path} of this archive is missing or damaged, so it was not opened. muniment safeguard makes archive.json again from the key journal; restore catalogue.db from a backup, without one muniment rebuild makes a lost one anew.",
        ),
        Code.ARCHIVE_EXISTS: _m(
            Exit.CONFLICT,
            409,
            "{home} 中已有档案库，未作任何改动。",
            "There is an archive in {home} already; nothing was changed.",
        ),
        Code.ARCHIVE_IN_USE: _m(
            Exit.CONFLICT,
            409,
            "此档案库中已有自己的归档。保存包只能导入尚未归档的新档案库，以免打乱编号。",
            "Something was filed in this archive already. Import packages only into an archive in which nothing was, so that its numbers stay in order.",
        ),
        Code.ARCHIVE_MISSING: _m(
            Exit.NOT_FOUND,
            503,
            "{home} 中没有档案库。请先运行 muniment init，或用 --home 指定正确的目录。",
            "There is no archive in {home}. Run muniment init first, or name the right folder with --home.",
        ),
        Code.BACKUP_DAMAGED: _m(
            Exit.DAMAGED,
            500,
            "备份中的 {path} 缺失或损坏（{problem}）。请改用更早的快照（--snapshot）或备份的另一副本。",
            "{path} of the backup is missing or damaged ({problem}). Take an earlier snapshot (--snapshot) or another copy of the backup.",
        ),
        Code.BACKUP_IN_VAULT: _m(
            Exit.USAGE,
            400,
            "{place} 所在的存储桶与库的同名。库与其备份、密钥不可同处一桶：请另选名称不同的存储桶，并使用另一套凭据。",
            "{place} is in a bucket with the name of the vault's. Vault and backup, vault and keys never lie in one bucket: choose one with another name, under other credentials.",
        ),
        Code.BACKUP_KEYS_TOGETHER: _m(
            Exit.USAGE,
            400,
            "存储桶中的备份（{place}）不能与其密钥放在同一存储桶。请为密钥部分指定文件夹或另一个存储桶（--keys-to、--keys-from 或设置 backup_keys_to），或不指定：默认存放在“存储桶名-keys”。",
            "A backup in a bucket ({place}) never has its keys in the same one. Name a folder or another bucket for them (--keys-to, --keys-from or the setting backup_keys_to), or none: they go to the bucket of that name with “-keys” behind it.",
        ),
        Code.BACKUP_KEY_VERSION: _m(
            Exit.KEY,
            503,
            "{place} 中的备份以主密钥第 {version} 版加密，当前密钥文件中没有这一版。本档案库仍在时，请先向同一位置运行 muniment backup；若仍有此提示，请另选新位置备份。要恢复，请使用当时的密钥文件。未作任何改动。",
            "The backup in {place} was made under version {version} of the master key, which the key file does not hold. Where this archive still stands, run muniment backup to the same place first; if that says so too, back up to a new place. To restore, use the key file of that time. Nothing was changed.",
        ),
        Code.BACKUP_MISSING: _m(
            Exit.NOT_FOUND,
            404,
            "{place} 中没有可用的备份快照。请核对位置，或先运行 muniment backup。",
            "There is no backup snapshot in {place}. Check the place, or run muniment backup first.",
        ),
        Code.BACKUP_OF_OTHER: _m(
            Exit.CONFLICT,
            409,
            "{place} 中是另一个档案库的备份，未作任何改动。请为本档案库指定自己的位置。",
            "{place} holds the backup of another archive; nothing was changed. Name a place of its own for this one.",
        ),
        Code.CASE_INCOMPLETE: _m(
            Exit.REFUSED,
            422,
            "“{folder}”没有写明等级或类别。请在 case.json、文件夹名称或 --level、--category 中写明。",
            "“{folder}” does not say its level or category. Say them in case.json, in the folder's name, or with --level and --category.",
        ),
        Code.CASE_INVALID: _m(
            Exit.REFUSED,
            422,
            "{name} 无法读取，或有未知的键。可用的键：{keys}。",
            "{name} cannot be read or has unknown keys. The keys are: {keys}.",
        ),
        Code.CATALOGUE_LOST: _m(
            Exit.DAMAGED,
            503,
            "目录 {path} 在使用中被移走或替换，本次操作未保存。请立即停止本档案库的所有服务，把原来的文件放回；原文件已丢失时，从备份恢复或运行 muniment rebuild，然后再启动。",
            "{path} was taken away or replaced while it was in use; nothing of this was saved. Stop every server of this archive now and put the file back; where it is lost, restore a backup or run muniment rebuild, then start again.",
        ),
        Code.CATALOGUE_OLDER: _m(
            Exit.CONFLICT,
            409,
            "库中 {reference} 的内容比目录 catalogue.db 所知的新，目录可能是放回的旧文件。为不覆盖已归档的内容，本次操作未执行。请停止服务，放回最新的 catalogue.db；没有时，移开它并运行 muniment rebuild。",
            "The vault holds more of {reference} than catalogue.db knows, which may be an older one that was put back. So that nothing filed is lost, this was not done. Stop the servers and put the newest catalogue.db back; without one, move this one away and run muniment rebuild.",
        ),
        Code.CATEGORY_UNKNOWN: _m(
            Exit.REFUSED,
            422,
            "没有类别“{given}”。可用的类别：{known}。",
            "There is no category “{given}”. Use one of: {known}.",
        ),
        Code.CHECKPOINT_INVALID: _m(
            Exit.REFUSED,
            422,
            "所给内容不是本档案库的检查点，未作核验。请粘贴完整的检查点，从第一行到签名行。",
            "What was given is no checkpoint of this archive; nothing was verified. Paste the whole of it, from its first line to its signature.",
        ),
        Code.CHECKPOINT_MISMATCH: _m(
            Exit.DAMAGED,
            500,
            "台账与所给的检查点（第 {size} 条）不一致：检查点之前的记录已被改动。请立即通知内部审计。",
            "The ledger does not match the given checkpoint (size {size}): entries before it were altered. Tell internal audit now.",
        ),
        Code.CONVERSION_CRASHED: _m(
            Exit.REFUSED,
            422,
            "“{name}”无法安全转换：转换进程中止。文件可能已损坏或含有恶意内容，请另存后重试。",
            "“{name}” could not be converted safely: the conversion process stopped. It may be damaged or hostile; save it anew and try again.",
        ),
        Code.CONVERSION_TIMEOUT: _m(
            Exit.REFUSED,
            422,
            "“{name}”转换超过 {seconds} 秒，已停止。请拆分或另存后重试。",
            "Converting “{name}” took more than {seconds} seconds and was stopped. Split it or save it anew, and try again.",
        ),
        Code.CONVERSION_TOO_LARGE: _m(
            Exit.REFUSED,
            422,
            "“{name}”展开后过大，超出安全限制。请缩小或拆分后重试。",
            "“{name}” unfolds beyond the safe limits. Make it smaller or split it, and try again.",
        ),
        Code.COPY_GONE: _m(
            Exit.NOT_FOUND,
            404,
            "这份副本已下载过，或已超过十分钟。仍需要时请在档案页重新发出，会得到新的密码。",
            "This copy was downloaded already, or its ten minutes are over. Release another on the file's page; it comes with a password of its own.",
        ),
        Code.CREDENTIALS_WRONG: _m(
            Exit.DENIED,
            401,
            "姓名或密码不正确。",
            "The name or the password is wrong.",
        ),
        Code.DATE_INVALID: _m(
            Exit.REFUSED,
            422,
            "“{given}”不是有效的日期。请写成 2026-03-01 的形式。",
            "“{given}” is not a date that exists. Write it like 2026-03-01.",
        ),
        Code.DATE_NOT_POSSIBLE: _m(
            Exit.REFUSED,
            422,
            "办结日期 {given} 不合理：应在 {earliest}（受理）至 {latest}（今天）之间。",
            "The completion date {given} is not possible: it lies between {earliest} (received) and {latest} (today).",
        ),
        Code.DISK_FULL: _m(
            Exit.UNAVAILABLE,
            507,
            "磁盘空间不足，本次操作未保存，已有档案不受影响。请清理空间后重试。",
            "The disk is full. Nothing of this was saved and what is kept is unharmed. Make room and try again.",
        ),
        Code.DOCUMENT_ALTERED: _m(
            Exit.DAMAGED,
            500,
            "{document} 的内容与入库时不同，已停止读取。请立即通知档案管理员。",
            "{document} is not as it was filed, so it was not opened. Tell the archive administrator now.",
        ),
        Code.DOCUMENT_MISSING: _m(
            Exit.DAMAGED,
            500,
            "{document} 在库中找不到。请立即通知档案管理员。",
            "{document} is missing from the vault. Tell the archive administrator now.",
        ),
        Code.DOCUMENT_UNREADABLE: _m(
            Exit.DAMAGED,
            503,
            "存储服务在应答，却读不出 {document}（{problem}），该文件可能已损坏。请立即通知档案管理员。",
            "The storage service answers but does not give {document} ({problem}); it may be damaged. Tell the archive administrator now.",
        ),
        Code.EVIDENCE_EMPTY: _m(
            Exit.REFUSED,
            422,
            "“{name}”是空文件。请检查后重新上传。",
            "“{name}” is empty. Check it and upload it again.",
        ),
        Code.EVIDENCE_ENCRYPTED: _m(
            Exit.REFUSED,
            422,
            "“{name}”设有密码，无法入库。请去除密码后再上传。",
            "“{name}” is protected by a password. Remove the password and upload it again.",
        ),
        Code.EVIDENCE_INFECTED: _m(
            Exit.REFUSED,
            422,
            "“{name}”含有病毒（{virus}），已加密隔离并记入台账，没有入库。请勿在别处打开，并告知系统管理员。",
            "“{name}” is infected ({virus}). It was sealed in quarantine and recorded, and not filed. Do not open it elsewhere; tell your system administrator.",
        ),
        Code.EVIDENCE_KIND: _m(
            Exit.REFUSED,
            415,
            "“{name}”的格式（{kind}）暂不支持。请另存为图片、PDF 或其他常用格式后再上传。",
            "“{name}” is of a kind not taken ({kind}). Save it as a picture, a PDF or another common kind.",
        ),
        Code.EVIDENCE_NAME: _m(
            Exit.REFUSED,
            422,
            "文件名“{name}”不可用（含路径或控制字符，或过长）。请改名后再上传。",
            "The file name “{name}” cannot be used (a path, control characters, or too long). Rename it and upload it again.",
        ),
        Code.EVIDENCE_NOT_A_FILE: _m(
            Exit.REFUSED,
            422,
            "“{name}”不是普通文件（可能是链接或文件夹）。请放入文件本身。",
            "“{name}” is not a plain file (a link or a folder). Put the file itself there.",
        ),
        Code.EVIDENCE_REFUSED: _m(
            Exit.REFUSED,
            422,
            "有 {count} 个文件被拒收，本次未入库任何内容：\n{problems}",
            "{count} files were refused, and nothing was filed:\n{problems}",
        ),
        Code.EVIDENCE_TOO_LARGE: _m(
            Exit.REFUSED,
            413,
            "“{name}”超过单个文件 {limit} MB 的限制。请压缩或拆分。",
            "“{name}” is over the limit of {limit} MB a file. Compress or split it.",
        ),
        Code.EVIDENCE_TOO_MANY_PAGES: _m(
            Exit.REFUSED,
            422,
            "“{name}”有 {pages} 页，超过 {limit} 页的限制。请拆分。",
            "“{name}” has {pages} pages, more than {limit}. Split it.",
        ),
        Code.EVIDENCE_UNREADABLE: _m(
            Exit.REFUSED,
            422,
            "“{name}”无法读取，可能已损坏或不完整。请重新导出后再上传。",
            "“{name}” cannot be read; it may be damaged or cut off. Export it again and upload it.",
        ),
        Code.EVIDENCE_UNSCANNED: _m(
            Exit.REFUSED,
            422,
            "“{name}”超过病毒扫描服务的大小上限，未经扫描不能入库。请拆分，或请系统管理员调高 clamd 的 StreamMaxLength。",
            "“{name}” is larger than the virus scanner takes, and nothing is filed unscanned. Split it, or ask for clamd's StreamMaxLength to be raised.",
        ),
        Code.FILE_NOT_FOUND: _m(
            Exit.NOT_FOUND,
            404,
            "没有找到档案 {reference}。请核对档号。",
            "There is no file {reference}. Check the reference code.",
        ),
        Code.FORM_EXPIRED: _m(
            Exit.REFUSED,
            400,
            "页面已过期，请刷新后重新提交。",
            "The page is out of date. Reload it and send it again.",
        ),
        Code.FORM_TOO_LARGE: _m(
            Exit.REFUSED,
            413,
            "填写的内容过长，或一次提交的文件过多，未保存任何内容。请缩短或分次提交。",
            "What was filled in is too long, or there are too many files at once; nothing was saved. Shorten it or send it in parts.",
        ),
        Code.GLYPH_MISSING: _m(
            Exit.REFUSED,
            422,
            "有文字无法显示：{characters}。请改用其他写法，或请系统管理员安装更全的字体。",
            "Some characters cannot be printed: {characters}. Write them another way, or ask for a fuller font to be installed.",
        ),
        Code.HOLDS_SEVERAL: _m(
            Exit.CONFLICT,
            409,
            "{reference} 有多项冻结（第 {holds} 号），请指明解除哪一项。",
            "{reference} has several holds ({holds}). Say which one to lift.",
        ),
        Code.HOLD_NOT_FOUND: _m(
            Exit.NOT_FOUND,
            404,
            "没有找到可解除的冻结：{wanted}。",
            "There is no hold to lift: {wanted}.",
        ),
        Code.INDEX_FULL: _m(
            Exit.UNAVAILABLE,
            507,
            "索引所在的磁盘空间不足（{path}），无法写入全文索引。归档、查阅和检索照常，但检索会变慢。请清理空间，之后索引会自动补齐。",
            "The disk of the full-text index is full ({path}), so it cannot be written. Filing, reading and searching go on, searching more slowly. Make room; the index then catches up by itself.",
        ),
        Code.INDEX_UNAVAILABLE: _m(
            Exit.UNAVAILABLE,
            503,
            "全文索引受损，将自动重建。归档、查阅和检索照常，但检索会变慢。",
            "The full-text index is damaged and is built anew by itself. Filing, reading and searching go on, searching more slowly.",
        ),
        Code.INDEX_UNUSABLE: _m(
            Exit.UNAVAILABLE,
            503,
            "无法使用全文索引的文件夹 {path}（{problem}）。归档、查阅和检索照常，但检索会变慢。请检查该路径和权限；移走占用该路径的文件后，索引会自动重建。",
            "The folder of the full-text index, {path}, cannot be used ({problem}). Filing, reading and searching go on, searching more slowly. Check the path and its permissions, and move away what is in its place; the index is then built anew by itself.",
        ),
        Code.INTERNAL: _m(
            Exit.FAULT,
            500,
            "系统内部错误，操作未完成。请把编号 {incident} 告知系统管理员。",
            "Something went wrong on our side; nothing was completed. Give the number {incident} to your system administrator.",
        ),
        Code.KEY_GUARDED: _m(
            Exit.KEY,
            503,
            "主密钥 {path} 由 {kind} 保护，请在设置 master_key 中写明如何打开。",
            "The master key {path} is guarded by {kind}. Say in the setting master_key how it is opened.",
        ),
        Code.KEY_JOURNAL_MISSING: _m(
            Exit.KEY,
            503,
            "找不到可用的密钥日志 {path}。请从保管处取回；没有它，库中的档案无法打开，只能从备份恢复。",
            "There is no key journal at {path} that can be used. Bring it back from safe keeping: without it nothing in the vault opens, and only a backup helps.",
        ),
        Code.KEY_JOURNAL_OF_OTHER: _m(
            Exit.CONFLICT,
            503,
            "密钥日志 {path} 属于另一个档案库，未作任何改动。要找回那个档案库，请运行 muniment rebuild；否则请用设置 key_journal 指定其他文件。",
            "The key journal {path} belongs to another archive; nothing was changed. muniment rebuild brings that one back; otherwise name another file in the setting key_journal.",
        ),
        Code.KEY_MISSING: _m(
            Exit.KEY,
            503,
            "找不到主密钥文件 {path}。请从保管处取回后放回原处；没有它，档案无法打开，也绝不会自动生成新密钥。",
            "The master key file {path} is missing. Bring it back from safe keeping; without it nothing opens, and no new key is ever made silently.",
        ),
        Code.KEY_PERMISSIONS: _m(
            Exit.KEY,
            503,
            "主密钥文件 {path} 可被他人读取。请运行 chmod 600 {path}。",
            "The master key file {path} can be read by others. Run chmod 600 {path}.",
        ),
        Code.KEY_REFUSED: _m(
            Exit.KEY,
            503,
            "{service} 未能用密钥 {key} 打开主密钥（{problem}）。请核对设置和权限；系统不会另建新密钥。",
            "{service} did not open the master key with {key} ({problem}). Check the settings and rights; no new key is ever made.",
        ),
        Code.KEY_UNREACHABLE: _m(
            Exit.UNAVAILABLE,
            503,
            "{service} 没有应答（{problem}），暂时无法打开主密钥。请检查网络后重试。",
            "{service} does not answer ({problem}), so the master key cannot be opened now. Check the network and try again.",
        ),
        Code.KEY_WRONG: _m(
            Exit.KEY,
            503,
            "主密钥文件 {path} 不是这个档案库的密钥，或已损坏。请换回正确的密钥文件。",
            "The master key file {path} does not belong to this archive, or is damaged. Put the right one back.",
        ),
        Code.LEDGER_DAMAGED: _m(
            Exit.DAMAGED,
            500,
            "台账第 {index} 条未通过校验：{problem}。请立即通知内部审计。",
            "The ledger fails verification at entry {index}: {problem}. Tell internal audit now.",
        ),
        Code.LEVEL_UNKNOWN: _m(
            Exit.REFUSED,
            422,
            "没有等级“{given}”。可用的等级：{known}。",
            "There is no level “{given}”. Use one of: {known}.",
        ),
        Code.NAME_INVALID: _m(
            Exit.REFUSED,
            422,
            "姓名和部门不能为空、不能含控制字符，且不超过 {longest} 个字符。",
            "A name or department must not be empty, hold control characters or be over {longest} characters.",
        ),
        Code.NAME_TAKEN: _m(
            Exit.CONFLICT,
            409,
            "已有人使用姓名“{name}”。请加上部门或工号以区分。",
            "Somebody is called “{name}” already. Add the department or a staff number.",
        ),
        Code.NOTHING_TO_IMPORT: _m(
            Exit.REFUSED,
            422,
            "{path} 及其下级文件夹中没有 voucher.json，未归档任何内容。每份案卷放在一个文件夹中，内含 voucher.json；导入保存包请加 --package。",
            "There is no voucher.json in {path} or below; nothing was filed. Each case file is a folder with its voucher.json; for a preservation package add --package.",
        ),
        Code.OCR_MISSING: _m(
            Exit.UNAVAILABLE,
            503,
            "未安装图片文字识别。请运行 {command}，然后重试。",
            "Reading pictures is not installed. Run {command} and try again.",
        ),
        Code.OUTPUT_EXISTS: _m(
            Exit.CONFLICT,
            409,
            "{path} 已存在，未覆盖任何内容。请指定另一个位置。",
            "{path} is there already; nothing was overwritten. Name another place.",
        ),
        Code.OWN_REQUEST: _m(
            Exit.DENIED,
            403,
            "不能审批自己的申请。",
            "Nobody approves their own request.",
        ),
        Code.PACKAGE_DAMAGED: _m(
            Exit.DAMAGED,
            422,
            "保存包中的 {path} 缺失或损坏（{problem}），其中未完成的案卷没有导入。请使用完好的副本。",
            "{path} of the package is missing or damaged ({problem}); the case file was not imported. Use an unharmed copy.",
        ),
        Code.PAGE_NOT_FOUND: _m(
            Exit.NOT_FOUND,
            404,
            "没有这个页面。",
            "There is no such page.",
        ),
        Code.PASSPHRASE_WRONG: _m(
            Exit.KEY,
            503,
            "主密钥的口令不正确。请重新输入。",
            "The passphrase of the master key is wrong. Enter it again.",
        ),
        Code.PASSWORD_WEAK: _m(
            Exit.REFUSED,
            422,
            "密码至少 {length} 个字符，且不能是姓名或常见密码。",
            "A password needs at least {length} characters and must not be the name or a common password.",
        ),
        Code.PATH_NOT_FOUND: _m(
            Exit.NOT_FOUND,
            404,
            "找不到文件或目录 {path}。",
            "There is no file or folder {path}.",
        ),
        Code.PATH_UNUSABLE: _m(
            Exit.UNAVAILABLE,
            503,
            "无法使用 {path}（{problem}）。请检查路径和权限，或指定其他位置。",
            "{path} cannot be used ({problem}). Check the path and its permissions, or name another place.",
        ),
        Code.PEOPLE_DIFFER: _m(
            Exit.CONFLICT,
            409,
            "保存包中编号 {numbers} 的人与本档案库中同一编号的人不同，或包中未写明姓名。为免把他人所做的事记在别人名下，未导入任何内容。请新建档案库，先导入保存包，再添加人员。",
            "The package has other people than this archive under {numbers}, or does not name them. So that nobody is shown as having done what another did, nothing was imported. Make a new archive, import into it first, and add people afterwards.",
        ),
        Code.PERIOD_INVALID: _m(
            Exit.REFUSED,
            422,
            "查阅期限无效：结束日期不能早于开始日期或今天，期限不超过 {days} 天。",
            "The period is not valid: it must not end before it starts or before today, nor last over {days} days.",
        ),
        Code.PERMANENT_NOT_ALLOWED: _m(
            Exit.REFUSED,
            422,
            "只有{levels}的档案可以永久保存。",
            "Only files of level {levels} can be kept permanently.",
        ),
        Code.PERSON_NOT_FOUND: _m(
            Exit.NOT_FOUND,
            404,
            "没有找到此人。",
            "There is no such person.",
        ),
        Code.PURPOSE_UNKNOWN: _m(
            Exit.REFUSED,
            422,
            "没有查阅目的“{given}”。可用的目的：{known}。",
            "There is no purpose “{given}”. Use one of: {known}.",
        ),
        Code.QUARANTINE_UNKNOWN: _m(
            Exit.NOT_FOUND,
            404,
            "隔离区中没有编号 {number}。",
            "There is no {number} in quarantine.",
        ),
        Code.QUERY_INVALID: _m(
            Exit.REFUSED,
            422,
            "检索词无效：{problem}。",
            "The query is not valid: {problem}.",
        ),
        Code.REASON_MISSING: _m(
            Exit.REFUSED,
            422,
            "请写明理由。",
            "Give a reason.",
        ),
        Code.REASON_UNFIT: _m(
            Exit.REFUSED,
            422,
            "所写内容过长（最多 {longest} 个字符）或含有无法打印的字符，未作任何改动。请改写后重试。",
            "What was written is too long (at most {longest} characters) or holds characters that cannot be printed; nothing was changed. Write it anew.",
        ),
        Code.RECORDING_CLOSED: _m(
            Exit.DENIED,
            403,
            "录音录像中的个人信息无法遮盖，因此只有档案管理员和内部审计可以播放。需要了解内容时，请联系档案管理员，由其当面播放。",
            "Nothing in a recording can be masked, so only the archive administrator and internal audit may play it. If you need to know what is in it, ask the archive administrator to play it in your presence.",
        ),
        Code.REFERENCE_INVALID: _m(
            Exit.REFUSED,
            422,
            "“{given}”不是档号。档号的形式为 2026-一级-剧本相关-001。",
            "“{given}” is not a reference code. One looks like 2026-一级-剧本相关-001.",
        ),
        Code.REQUEST_NOT_FOUND: _m(
            Exit.NOT_FOUND,
            404,
            "没有找到申请 {number}。",
            "There is no request {number}.",
        ),
        Code.REQUEST_STATE: _m(
            Exit.CONFLICT,
            409,
            "申请 {number} 当前为“{state}”，不能进行此操作。",
            "Request {number} is “{state}”; this cannot be done now.",
        ),
        Code.REQUEST_TOO_LARGE: _m(
            Exit.REFUSED,
            422,
            "一次申请最多 {most} 份档案。请分几次申请。",
            "A request names at most {most} files. Make several requests.",
        ),
        Code.ROLE_UNKNOWN: _m(
            Exit.REFUSED,
            422,
            "没有角色“{given}”。可用的角色：{known}。",
            "There is no role “{given}”. Use one of: {known}.",
        ),
        Code.SANDBOX_UNAVAILABLE: _m(
            Exit.UNAVAILABLE,
            503,
            "转换进程无法在隔离环境中启动（{problem}），为安全起见停止处理。",
            "The conversion process could not be isolated ({problem}), so nothing is converted.",
        ),
        Code.SCANNER_UNAVAILABLE: _m(
            Exit.UNAVAILABLE,
            503,
            "病毒扫描服务（{address}）没有应答，本次没有入库任何内容。请稍后再试；仍不行请告知系统管理员。",
            "The virus scanner ({address}) does not answer, so nothing of this was filed. Try again in a moment, then tell your system administrator.",
        ),
        Code.SCHEME_INVALID: _m(
            Exit.USAGE,
            500,
            "分类方案有误：{problem}。",
            "The scheme is not valid: {problem}.",
        ),
        Code.SEARCHES_TOO_MANY: _m(
            Exit.CONFLICT,
            409,
            "最多保存 {most} 个常用查找，请先删除不再使用的。",
            "At most {most} searches can be saved. Delete one that is no longer used.",
        ),
        Code.SEARCH_NAME_INVALID: _m(
            Exit.REFUSED,
            422,
            "请为常用查找起一个名称，不超过 {longest} 个字符。",
            "Give the saved search a name of at most {longest} characters.",
        ),
        Code.SERVER_RUNNING: _m(
            Exit.CONFLICT,
            409,
            "这个档案库已有服务在运行（进程 {pid}）。请先停止它，或使用另一个目录。",
            "A server is running on this archive already (process {pid}). Stop it first, or use another folder.",
        ),
        Code.SETTING_INVALID: _m(
            Exit.USAGE,
            500,
            "设置 {key} 的值无效：{problem}。",
            "The setting {key} is not valid: {problem}.",
        ),
        Code.SETTING_UNKNOWN: _m(
            Exit.USAGE,
            500,
            "没有设置项 {key}。是否想写 {nearest}？",
            "There is no setting {key}. Did you mean {nearest}?",
        ),
        Code.SIGN_IN_REQUIRED: _m(
            Exit.DENIED,
            401,
            "请先登录。",
            "Sign in first.",
        ),
        Code.UPLOAD_TOO_LARGE: _m(
            Exit.REFUSED,
            413,
            "上传总量超过 {limit} MB 的限制，未保存任何内容。请分批上传。",
            "The upload is over the limit of {limit} MB; nothing was saved. Send it in parts.",
        ),
        Code.VAULT_DAMAGED: _m(
            Exit.DAMAGED,
            500,
            "库中有 {count} 份文件丢失或损坏，因此没有迁移，原库照常使用：\n{problems}",
            "{count} files of the vault are missing or damaged, so it was not moved and stays in use where it is:\n{problems}",
        ),
        Code.VAULT_OCCUPIED: _m(
            Exit.CONFLICT,
            409,
            "{place} 中已有其他内容，未作任何改动。请换一个空的位置。",
            "There is something else in {place} already; nothing of it was changed. Choose an empty place.",
        ),
        Code.VAULT_REFUSED: _m(
            Exit.UNAVAILABLE,
            503,
            "存储服务拒绝访问 {place}（{problem}）。请核对存储桶、凭据和权限。",
            "The storage service refuses {place} ({problem}). Check the bucket, the credentials and the rights.",
        ),
        Code.VAULT_THERE: _m(
            Exit.CONFLICT,
            409,
            "库已在 {place}。",
            "The vault lies in {place} already.",
        ),
        Code.VAULT_UNLOCKED: _m(
            Exit.USAGE,
            503,
            "设置 s3_object_lock 要求锁定对象，但 {place} 的存储桶未启用对象锁定（Object Lock）。请新建启用了对象锁定的存储桶，或将该设置改为 off。",
            "The setting s3_object_lock asks for locks, but the bucket of {place} was made without Object Lock. Make a bucket that has it, or set it to off.",
        ),
        Code.VAULT_UNREACHABLE: _m(
            Exit.UNAVAILABLE,
            503,
            "存储服务没有正常应答（{place}：{problem}），本次操作未保存，已有档案不受影响。请稍后重试。",
            "The storage service does not answer as it should ({place}: {problem}). Nothing of this was saved and what is kept is unharmed. Try again in a moment.",
        ),
        Code.VOUCHER_INVALID: _m(
            Exit.REFUSED,
            422,
            "登记凭证有误：{problems}",
            "The voucher is not valid: {problems}",
        ),
    }
)


@runtime_checkable
class Spoken(Protocol):
    """A fact that has words of its own in each language, such as a list of problems."""

    def say(self, language: str) -> str:
        """The words for a human, in ``zh`` or ``en``."""
        ...


# A document is not there as it was filed; what else may ail a vault is no damage.
DOCUMENT_DAMAGED = frozenset({Code.DOCUMENT_ALTERED, Code.DOCUMENT_MISSING, Code.DOCUMENT_UNREADABLE})


class MunimentError(Exception):
    """A refusal or fault with a stable code; ``facts`` fill the sentences of the table."""

    def __init__(self, code: Code, **facts: object) -> None:
        super().__init__(code.value)
        self.code = code
        self.facts = facts

    @property
    def meaning(self) -> Meaning:
        return TABLE[self.code]

    def say(self, language: str) -> str:
        """The sentence for a human, in ``zh`` or ``en``."""
        sentence = self.meaning.zh if language == "zh" else self.meaning.en
        facts = {k: v.say(language) if isinstance(v, Spoken) else v for k, v in self.facts.items()}
        return sentence.format(**facts)

    def __str__(self) -> str:
        return f"{self.code.value}: {self.say('en')}"


def say_kept(code: str, language: str) -> str:
    """The sentence of a code that was kept without its facts, where it needs none but a name; else the code."""
    try:
        return MunimentError(Code(code), name="PDF", document="PDF", seconds="–").say(language)
    except (KeyError, ValueError):
        return code


def refusal_of(error: BaseException) -> MunimentError | None:
    """What the machine did to us, as a refusal the table knows; none for a defect of ours."""
    if isinstance(error, MunimentError):
        return error
    if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT, EFBIG):
        return MunimentError(Code.DISK_FULL)
    return None
