"""The languages that lid.176 tells apart, by its names for them."""

# ISO 639-1 -> 639-3, which archives write.
_PAIRS = """
af:afr am:amh an:arg ar:ara as:asm av:ava az:aze ba:bak be:bel bg:bul bn:ben bo:bod
br:bre bs:bos ca:cat ce:che co:cos cs:ces cv:chv cy:cym da:dan de:deu dv:div el:ell
en:eng eo:epo es:spa et:est eu:eus fa:fas fi:fin fr:fra fy:fry ga:gle gd:gla gl:glg
gn:grn gu:guj gv:glv he:heb hi:hin hr:hrv ht:hat hu:hun hy:hye ia:ina id:ind ie:ile
io:ido is:isl it:ita ja:jpn jv:jav ka:kat kk:kaz km:khm kn:kan ko:kor ku:kur kv:kom
kw:cor ky:kir la:lat lb:ltz li:lim lo:lao lt:lit lv:lav mg:mlg mk:mkd ml:mal mn:mon
mr:mar ms:msa mt:mlt my:mya ne:nep nl:nld nn:nno no:nor oc:oci or:ori os:oss pa:pan
pl:pol ps:pus pt:por qu:que rm:roh ro:ron ru:rus sa:san sc:srd sd:snd sh:hbs si:sin
sk:slk sl:slv so:som sq:sqi sr:srp su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha
tk:tuk tl:tgl tr:tur tt:tat ug:uig uk:ukr ur:urd uz:uzb vi:vie vo:vol wa:wln yi:yid
yo:yor zh:zho
"""
# lid.176 has some that ISO 639-1 has not.
_ONLY_THREE = """
als arz ast azb bar bcl bpy bxr cbk ceb ckb diq dsb dty eml frr gom hif hsb ilo jbo
krc lez lmo lrc mai mhr min mrj mwl myv mzn nah nap nds new pam pfl pms pnb rue sah
scn sco tyv vec vep vls war wuu xal xmf yue bh
"""
THREE_LETTERS: dict[str, str] = {
    **{pair[:2]: pair[3:] for pair in _PAIRS.split()},
    **{code: code for code in _ONLY_THREE.split()},
}
NAMES = frozenset(THREE_LETTERS)

# Written without spaces between words.
WITHOUT_SPACES = frozenset({"bo", "ja", "km", "lo", "my", "th", "wuu", "yue", "zh"})
