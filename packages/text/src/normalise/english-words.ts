import { words } from '../languages/language.ts';

/** Short words that a writer may shout: in capitals they are still words, not initials. */
export const englishCapsWords = words(`
  a i am an as at be by do go he hi if in is it me my no of oh ok on or so to up us we all and any are ask ate bad bag
  ban bar bat bed bet big bit bob box boy bus but buy can cap car cat cop cow cry cup cut dad day did die dig dog don
  dry due ear eat egg end eye fan far fat few fit fix fly for fox fun gas get god got gun guy had has hat her hey him
  his hit hot how ice ill its job joy jr key kid law lay led leg let lie lip lot low mad man map may men met mix mom mrs
  mr mud nap net new nor not now nut odd off oil old one our out own pay pen per pet pie pig put ran rat raw red rid row
  run sad sat saw say sea see set she shy sir sit six sky son sun tax tea ten the tie tip toe ton too top toy try two use
  van via war was way wet who why win won wow yes yet you zoo able also area army away baby back ball band bank base bath
  bear beat been beer bell belt best bill bird blow blue boat body bomb bond bone book boom born boss both bowl bulk burn
  bush busy call calm came camp card care case cash cast cell chat chip city club coal coat code cold come cook cool cope
  copy core cost crew crop dark data date dawn days dead deal dean dear debt deep deny desk dial diet dish disk does done
  door dose down draw drew drop drug dual duke dust duty each earn ease east easy edge else even ever evil exit face fact
  fail fair fall farm fast fate fear feed feel feet fell felt file fill film find fine fire firm fish five flat flow food
  foot ford form fort four free from fuel full fund gain game gate gave gear gene gift girl give glad goal goes gold golf
  gone good gray grew grey grow gulf hair half hall hand hang hard harm hate have head hear heat held hell help here hero
  high hill hire hold hole holy home hope host hour huge hung hunt hurt idea inch into iron item jack jane jean john join
  jump jury just keen keep kept kick kill kind king knee knew know lack lady laid lake land lane last late lead left less
  life lift like line link list live load loan lock logo long look lord lose loss lost love luck made mail main make male
  many mark mass matt meal mean meat meet menu mere mike mile milk mill mind mine miss mode mood moon more most move much
  must name navy near neck need news next nice nick nine none nose note okay once only onto open oral over pace pack page
  paid pain pair palm park part pass past path peak pick pink pipe plan play plot plug plus poll pool poor port post pull
  pure push race rail rain rank rare rate read real rear rely rent rest rice rich ride ring rise risk road rock role roll
  roof room root rose rule rush ruth safe said sake sale salt same sand save seat seed seek seem seen self sell send sent
  sept ship shop shot show shut sick side sign site size skin slip slow snow soft soil sold sole some song soon sort soul
  spot star stay step stop such suit sure take tale talk tall tank tape task team tech tell tend term test text than that
  them then they thin this thus till time tiny told toll tone tony took tool tour town tree trip true tune turn twin type
  unit upon used user vary vast very vice view vote wage wait wake walk wall want ward warm wash wave ways weak wear week
  well went were west what when whom wide wife wild will wind wine wing wire wise wish with wood word wore work yard yeah
  year your zero zone never always please thank thanks sorry hello really about after again under those these their there
  where which while would could should shall might great small right wrong world state every first women since group
  during without place never little until public water fire danger warning notice caution private chapter part book the
  end god's don't can't won't isn't
`);

/** Initials that are said letter by letter although they could be read as a word, or are written like one. */
export const initialisms = words(`
  USA UK EU UN US UAE USSR FBI CIA NSA IRS CEO CFO CTO COO CIO HR PR IT TV PC CD DVD USB URL HTML HTTP HTTPS CSS SQL API
  SDK IDE CPU GPU SSD HDD LED LCD OLED AI ML UI UX OS IP ISP VPN DNS FTP SSH SSL TLS TCP UDP XML PDF FAQ DIY ATM BBC CNN
  NBC ABC CBS HBO ESPN NBA NFL NHL MLB MVP WWE UFC GDP GNP VAT IPO ETF IMF WTO WHO EPA FDA CDC NIH NHS DNA RNA HIV ADHD
  OCD PTSD MRI ICU EKG ECG IQ EQ MBA BA MA BS MD RN DDS JD PHD SAT GPA ID AM PM AD BC CE BCE EST PST CST MST EDT PDT GMT
  UTC CET BST ETA ASAP FYI BTW RSVP OMG WTF IMO IMHO TBA TBD PS NB LLC PLC GMBH AG SUV BMW GPS GM GE HP IBM AOL AMD AWS
  SMS MMS QR RSS SEO B2B SSN DOB PO LA NYC DC NJ NY UCLA MIT USC LSE NYU LSD CBD THC DJ MC VIP RIP SOS UFO ESP KFC UPS
  CCTV HDTV VHS CGI FX ISBN ISSN DOI LGBT LGBTQ NAACP ACLU NRA AARP AAA YMCA IOU EV HVAC PVC TNT DDT CFC PCB RGB CMYK
  CNC ABS AC RV ATV ICBM KGB SS IRA ETA PLO PLC SDS RFID CRM ERP SaaS TTS ASR NLP LLM GPT RTF TTFA
`);

/** Initials that are read as a word. */
export const acronyms = words(`
  NASA NATO AIDS UNESCO UNICEF OPEC NAFTA FIFA UEFA IKEA NASDAQ SWAT PIN SIM GIF JPEG RAM ROM BIOS LAN WAN JSON YAML POTUS
  SCOTUS FLOTUS COVID SARS MERS HIPAA OSHA NOAA DARPA CERN MIDI SONAR RADAR LASER TASER SCUBA ZIP CAPTCHA GAAP PETA FEMA
  NIMBY YOLO FOMO WASP TED BASIC COBOL FORTRAN UNIX LINUX ASCII ANSI CAD DOS INTERPOL IMAX LEGO MENSA RICO SALT NAND ASEAN
  BREXIT CAT CSIRO NIST NORAD PAC PEN RAID REM SAG SAP SPAM STEM TARP WYSIWYG BART MOMA NASCAR ESA EFTA OSCE MIRV AWOL
  ONU OTAN SIDA OVNI RENFE UEFA FIDE INSEE ENA GUI DIMM WIMAX LIDAR PETSCII TOEFL TOEIC GMAT VISA BAFTA EULA
`);
