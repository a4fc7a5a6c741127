# ruff: noqa: E501  one security a line
"""The securities of the paper market, one line each; ``ftcli.paper.symbols`` reads them.

Names and symbols are those of real listings so that habits carry over; every figure is only a
plausible round number for late 2026 and says nothing about the real company or fund.

Columns, by kind (volumes and shares in millions, volatility in percent a year, dividends in
dollars a share and year, borrow in percent a year):

* equities: symbol, name, MIC, price, volatility, beta, average volume, shares, sector, industry,
  dividend, frequency (Q, M, S, A or -), earnings per share, borrow rate, options (W weekly,
  M monthly, - none)
* ETFs: symbol, name, MIC, price, volatility, beta, average volume, shares, group, dividend,
  frequency, options, index followed (or -), leverage
* indices: symbol, name, level, volatility, beta, options
* funds: symbol, name, net asset value, volatility, beta, net assets, group, dividend, frequency,
  index followed (or -)
* money market: symbol, name, net assets, seven-day yield
"""

EQUITIES = """\
AAPL|Apple Inc|XNAS|284.50|27|1.15|48|14780|Information Technology|Technology Hardware|1.08|Q|8.05|0.25|W
MSFT|Microsoft Corp|XNAS|518.20|24|1.00|21|7432|Information Technology|Systems Software|3.64|Q|15.60|0.25|W
NVDA|NVIDIA Corp|XNAS|196.40|42|1.75|175|24300|Information Technology|Semiconductors|0.04|Q|5.40|0.25|W
AMZN|Amazon.com Inc|XNAS|243.80|31|1.25|39|10690|Consumer Discretionary|Broadline Retail|0|-|7.60|0.25|W
GOOGL|Alphabet Inc Class A|XNAS|312.60|29|1.05|30|5820|Communication Services|Interactive Media|0.84|Q|10.90|0.25|W
GOOG|Alphabet Inc Class C|XNAS|313.45|29|1.05|20|5410|Communication Services|Interactive Media|0.84|Q|10.90|0.25|W
META|Meta Platforms Inc Class A|XNAS|684.30|33|1.20|13|2180|Communication Services|Interactive Media|2.10|Q|28.70|0.25|W
TSLA|Tesla Inc|XNAS|428.70|54|1.95|82|3325|Consumer Discretionary|Automobile Manufacturers|0|-|1.85|0.25|W
BRK.B|Berkshire Hathaway Inc Class B|XNYS|502.90|16|0.70|4.4|1375|Financials|Multi-Sector Holdings|0|-|23.40|0.25|W
AVGO|Broadcom Inc|XNAS|352.10|44|1.60|24|4720|Information Technology|Semiconductors|2.36|Q|7.40|0.25|W
LLY|Eli Lilly & Co|XNYS|982.40|33|0.70|3.4|945|Health Care|Pharmaceuticals|6.00|Q|24.80|0.25|W
JPM|JPMorgan Chase & Co|XNYS|308.60|22|1.05|9.1|2720|Financials|Diversified Banks|6.00|Q|20.40|0.25|W
V|Visa Inc Class A|XNYS|341.20|19|0.85|6.3|1930|Financials|Transaction Processing|2.68|Q|11.60|0.25|W
MA|Mastercard Inc Class A|XNYS|556.80|20|0.90|2.8|900|Financials|Transaction Processing|3.04|Q|16.30|0.25|W
UNH|UnitedHealth Group Inc|XNYS|338.40|34|0.60|8.7|905|Health Care|Managed Health Care|8.84|Q|18.30|0.25|W
XOM|Exxon Mobil Corp|XNYS|117.30|22|0.65|15|4260|Energy|Integrated Oil & Gas|4.12|Q|7.10|0.25|W
CVX|Chevron Corp|XNYS|153.70|22|0.70|8.2|1990|Energy|Integrated Oil & Gas|6.84|Q|7.60|0.25|W
JNJ|Johnson & Johnson|XNYS|204.10|17|0.40|8.0|2410|Health Care|Pharmaceuticals|5.20|Q|10.70|0.25|W
PG|Procter & Gamble Co|XNYS|148.90|17|0.40|8.4|2340|Consumer Staples|Household Products|4.23|Q|6.90|0.25|W
HD|Home Depot Inc|XNYS|366.20|23|0.95|4.0|995|Consumer Discretionary|Home Improvement Retail|9.20|Q|14.90|0.25|W
COST|Costco Wholesale Corp|XNAS|921.60|21|0.85|2.1|443|Consumer Staples|Consumer Staples Retail|5.20|Q|19.40|0.25|W
WMT|Walmart Inc|XNYS|106.40|21|0.60|18|7980|Consumer Staples|Consumer Staples Retail|0.94|Q|2.75|0.25|W
ABBV|AbbVie Inc|XNYS|226.70|23|0.50|5.6|1767|Health Care|Biotechnology|6.92|Q|10.60|0.25|W
BAC|Bank of America Corp|XNYS|53.40|24|1.15|36|7290|Financials|Diversified Banks|1.12|Q|4.00|0.25|W
WFC|Wells Fargo & Co|XNYS|86.30|26|1.10|14|3140|Financials|Diversified Banks|1.80|Q|6.50|0.25|W
C|Citigroup Inc|XNYS|102.80|28|1.20|13|1790|Financials|Diversified Banks|2.40|Q|8.60|0.25|W
GS|Goldman Sachs Group Inc|XNYS|812.30|28|1.30|2.0|300|Financials|Capital Markets|16.00|Q|51.20|0.25|W
MS|Morgan Stanley|XNYS|168.40|27|1.25|5.3|1590|Financials|Capital Markets|4.00|Q|10.10|0.25|W
SCHW|Charles Schwab Corp|XNYS|95.60|26|1.05|8.6|1780|Financials|Capital Markets|1.08|Q|4.90|0.25|W
BLK|BlackRock Inc|XNYS|1083.00|25|1.30|0.7|155|Financials|Capital Markets|20.84|Q|46.80|0.25|W
AXP|American Express Co|XNYS|362.50|26|1.20|2.9|689|Financials|Consumer Finance|3.28|Q|15.80|0.25|W
KO|Coca-Cola Co|XNYS|71.40|15|0.35|16|4302|Consumer Staples|Soft Drinks|2.04|Q|3.00|0.25|W
PEP|PepsiCo Inc|XNAS|146.80|18|0.40|7.1|1368|Consumer Staples|Soft Drinks|5.69|Q|8.20|0.25|W
MCD|McDonald's Corp|XNYS|309.20|17|0.50|3.3|712|Consumer Discretionary|Restaurants|7.44|Q|12.40|0.25|W
SBUX|Starbucks Corp|XNAS|86.70|29|0.95|9.0|1137|Consumer Discretionary|Restaurants|2.48|Q|2.40|0.25|W
NKE|Nike Inc Class B|XNYS|66.30|33|1.10|14|1478|Consumer Discretionary|Footwear|1.64|Q|1.90|0.25|W
DIS|Walt Disney Co|XNYS|112.90|26|1.05|8.9|1786|Communication Services|Movies & Entertainment|1.50|S|6.30|0.25|W
NFLX|Netflix Inc|XNAS|109.80|33|1.10|36|4235|Communication Services|Movies & Entertainment|0|-|2.90|0.25|W
CMCSA|Comcast Corp Class A|XNAS|28.20|25|0.80|26|3660|Communication Services|Cable & Satellite|1.32|Q|4.20|0.25|W
T|AT&T Inc|XNYS|26.10|20|0.45|38|7100|Communication Services|Integrated Telecom|1.11|Q|2.15|0.25|W
VZ|Verizon Communications Inc|XNYS|40.80|20|0.40|19|4216|Communication Services|Integrated Telecom|2.76|Q|4.75|0.25|W
TMUS|T-Mobile US Inc|XNAS|214.60|22|0.50|4.6|1119|Communication Services|Wireless Telecom|4.08|Q|10.40|0.25|W
CRM|Salesforce Inc|XNYS|248.70|31|1.15|7.9|952|Information Technology|Application Software|1.66|Q|7.80|0.25|W
ORCL|Oracle Corp|XNYS|217.30|45|1.35|19|2850|Information Technology|Application Software|2.00|Q|4.90|0.25|W
ADBE|Adobe Inc|XNAS|338.50|31|1.10|4.0|419|Information Technology|Application Software|0|-|17.60|0.25|W
CSCO|Cisco Systems Inc|XNAS|76.40|22|0.85|20|3950|Information Technology|Communications Equipment|1.64|Q|2.70|0.25|W
IBM|International Business Machines Corp|XNYS|304.10|25|0.75|4.3|934|Information Technology|IT Consulting|6.72|Q|8.60|0.25|W
INTC|Intel Corp|XNAS|37.60|50|1.35|92|4770|Information Technology|Semiconductors|0|-|0.35|0.25|W
AMD|Advanced Micro Devices Inc|XNAS|216.80|51|1.80|46|1628|Information Technology|Semiconductors|0|-|3.10|0.25|W
QCOM|Qualcomm Inc|XNAS|168.20|33|1.25|8.3|1071|Information Technology|Semiconductors|3.56|Q|9.80|0.25|W
TXN|Texas Instruments Inc|XNAS|176.90|29|1.05|6.2|909|Information Technology|Semiconductors|5.68|Q|5.70|0.25|W
MU|Micron Technology Inc|XNAS|238.40|54|1.60|24|1124|Information Technology|Semiconductors|0.46|Q|13.20|0.25|W
AMAT|Applied Materials Inc|XNAS|247.10|38|1.55|6.9|793|Information Technology|Semiconductor Equipment|1.84|Q|9.60|0.25|W
ARM|Arm Holdings plc|XNAS|141.30|50|1.80|6.1|1059|Information Technology|Semiconductors|0|-|1.10|0.25|W
SMCI|Super Micro Computer Inc|XNAS|36.20|70|1.70|31|597|Information Technology|Technology Hardware|0|-|1.50|0.60|W
PLTR|Palantir Technologies Inc Class A|XNAS|171.90|59|1.70|54|2383|Information Technology|Application Software|0|-|0.55|0.25|W
SNOW|Snowflake Inc|XNYS|238.20|48|1.25|5.2|342|Information Technology|Application Software|0|-|-4.10|0.25|W
NOW|ServiceNow Inc|XNYS|168.40|34|1.10|9.4|1040|Information Technology|Systems Software|0|-|1.70|0.25|W
SHOP|Shopify Inc Class A|XNAS|158.30|52|1.75|9.3|1300|Information Technology|Internet Services|0|-|1.40|0.25|W
UBER|Uber Technologies Inc|XNYS|88.70|36|1.20|18|2078|Industrials|Passenger Ground Transportation|0|-|4.90|0.25|W
ABNB|Airbnb Inc Class A|XNAS|126.40|33|1.15|4.7|612|Consumer Discretionary|Hotels & Cruise Lines|0|-|4.30|0.25|W
BKNG|Booking Holdings Inc|XNAS|4987.00|27|1.10|0.26|32.2|Consumer Discretionary|Hotels & Cruise Lines|38.40|Q|158.00|0.25|W
PYPL|PayPal Holdings Inc|XNAS|62.80|36|1.30|15|936|Financials|Transaction Processing|0.56|Q|5.10|0.25|W
COIN|Coinbase Global Inc Class A|XNAS|262.40|72|2.10|9.8|270|Financials|Financial Exchanges|0|-|8.20|0.25|W
HOOD|Robinhood Markets Inc Class A|XNAS|118.60|66|2.00|32|900|Financials|Capital Markets|0|-|2.40|0.25|W
SOFI|SoFi Technologies Inc|XNAS|27.40|60|1.80|58|1206|Financials|Consumer Finance|0|-|0.55|0.25|W
MSTR|Strategy Inc Class A|XNAS|184.20|78|2.20|19|287|Information Technology|Application Software|0|-|9.10|0.25|W
GME|GameStop Corp Class A|XNYS|22.10|58|0.90|7.6|448|Consumer Discretionary|Specialty Retail|0|-|0.75|1.10|W
AMC|AMC Entertainment Holdings Inc Class A|XNYS|2.64|75|1.40|21|513|Communication Services|Movies & Entertainment|0|-|-0.80|4.60|W
F|Ford Motor Co|XNYS|13.20|32|1.15|62|3915|Consumer Discretionary|Automobile Manufacturers|0.60|Q|1.45|0.25|W
GM|General Motors Co|XNYS|72.60|33|1.20|9.2|933|Consumer Discretionary|Automobile Manufacturers|0.60|Q|9.90|0.25|W
RIVN|Rivian Automotive Inc Class A|XNAS|16.80|60|1.60|36|1226|Consumer Discretionary|Automobile Manufacturers|0|-|-2.70|0.75|W
NIO|NIO Inc|XNYS|6.10|62|1.30|52|2360|Consumer Discretionary|Automobile Manufacturers|0|-|-1.10|1.40|W
GE|GE Aerospace|XNYS|302.70|29|1.15|5.0|1055|Industrials|Aerospace & Defense|1.44|Q|6.60|0.25|W
BA|Boeing Co|XNYS|204.30|33|1.15|7.6|760|Industrials|Aerospace & Defense|0|-|-3.20|0.25|W
LMT|Lockheed Martin Corp|XNYS|472.60|22|0.40|1.5|231|Industrials|Aerospace & Defense|13.80|Q|23.10|0.25|W
RTX|RTX Corp|XNYS|174.80|22|0.65|5.1|1341|Industrials|Aerospace & Defense|2.72|Q|5.40|0.25|W
CAT|Caterpillar Inc|XNYS|568.40|30|1.20|3.3|468|Industrials|Construction Machinery|6.04|Q|19.80|0.25|W
DE|Deere & Co|XNYS|476.20|27|0.95|1.5|270|Industrials|Agricultural Machinery|6.48|Q|18.60|0.25|W
HON|Honeywell International Inc|XNAS|196.40|21|0.90|4.1|635|Industrials|Industrial Conglomerates|4.76|Q|9.70|0.25|W
MMM|3M Co|XNYS|168.10|26|0.95|3.2|531|Industrials|Industrial Conglomerates|2.92|Q|7.40|0.25|W
UPS|United Parcel Service Inc Class B|XNYS|97.20|27|0.95|6.8|848|Industrials|Air Freight & Logistics|6.56|Q|6.70|0.25|W
FDX|FedEx Corp|XNYS|274.60|29|1.10|1.7|236|Industrials|Air Freight & Logistics|5.80|Q|18.30|0.25|W
DAL|Delta Air Lines Inc|XNYS|63.40|39|1.35|8.7|653|Industrials|Passenger Airlines|0.75|Q|6.90|0.25|W
UAL|United Airlines Holdings Inc|XNAS|101.80|43|1.45|5.6|324|Industrials|Passenger Airlines|0|-|11.20|0.25|W
AAL|American Airlines Group Inc|XNAS|13.40|45|1.45|58|660|Industrials|Passenger Airlines|0|-|1.20|0.30|W
CCL|Carnival Corp|XNYS|28.60|43|1.60|19|1168|Consumer Discretionary|Hotels & Cruise Lines|0|-|2.20|0.25|W
PFE|Pfizer Inc|XNYS|25.40|23|0.50|47|5686|Health Care|Pharmaceuticals|1.72|Q|2.40|0.25|W
MRK|Merck & Co Inc|XNYS|98.70|24|0.45|13|2482|Health Care|Pharmaceuticals|3.40|Q|7.90|0.25|W
BMY|Bristol-Myers Squibb Co|XNYS|49.60|25|0.45|13|2035|Health Care|Pharmaceuticals|2.52|Q|3.10|0.25|W
AMGN|Amgen Inc|XNAS|334.80|24|0.50|2.6|538|Health Care|Biotechnology|9.52|Q|13.60|0.25|W
GILD|Gilead Sciences Inc|XNAS|124.70|24|0.40|7.2|1241|Health Care|Biotechnology|3.16|Q|6.50|0.25|W
MRNA|Moderna Inc|XNAS|27.30|60|1.20|11|390|Health Care|Biotechnology|0|-|-7.10|0.90|W
TMO|Thermo Fisher Scientific Inc|XNYS|572.10|25|0.80|1.8|376|Health Care|Life Sciences Tools|1.72|Q|18.20|0.25|W
ISRG|Intuitive Surgical Inc|XNAS|561.40|29|1.10|1.9|354|Health Care|Health Care Equipment|0|-|7.90|0.25|W
CVS|CVS Health Corp|XNYS|78.90|29|0.60|8.1|1269|Health Care|Health Care Services|2.66|Q|4.80|0.25|W
LOW|Lowe's Companies Inc|XNYS|238.60|24|0.95|2.7|561|Consumer Discretionary|Home Improvement Retail|4.80|Q|12.20|0.25|W
TGT|Target Corp|XNYS|91.70|32|0.90|6.7|454|Consumer Staples|Consumer Staples Retail|4.56|Q|8.10|0.25|W
NEE|NextEra Energy Inc|XNYS|83.20|25|0.50|9.4|2083|Utilities|Electric Utilities|2.27|Q|3.60|0.25|W
DUK|Duke Energy Corp|XNYS|122.40|16|0.30|3.4|778|Utilities|Electric Utilities|4.26|Q|6.40|0.25|M
SO|Southern Co|XNYS|91.80|16|0.30|5.2|1101|Utilities|Electric Utilities|2.96|Q|4.30|0.25|M
COP|ConocoPhillips|XNYS|92.60|28|0.80|8.0|1240|Energy|Oil & Gas Exploration|3.36|Q|6.40|0.25|W
SLB|SLB Ltd|XNYS|37.20|32|0.95|17|1494|Energy|Oil & Gas Equipment|1.14|Q|2.70|0.25|W
OXY|Occidental Petroleum Corp|XNYS|42.10|31|0.85|11|985|Energy|Oil & Gas Exploration|0.96|Q|2.20|0.25|W
LIN|Linde plc|XNAS|431.20|19|0.80|2.2|467|Materials|Industrial Gases|6.00|Q|15.70|0.25|M
FCX|Freeport-McMoRan Inc|XNYS|42.80|39|1.35|15|1436|Materials|Copper|0.60|Q|1.60|0.25|W
NEM|Newmont Corp|XNYS|91.40|36|0.35|10|1091|Materials|Gold|1.00|Q|6.10|0.25|W
PLD|Prologis Inc|XNYS|126.30|25|1.15|3.8|929|Real Estate|Industrial REITs|4.04|Q|3.50|0.25|M
O|Realty Income Corp|XNYS|57.60|17|0.55|6.0|920|Real Estate|Retail REITs|3.24|M|1.10|0.25|W
AMT|American Tower Corp|XNYS|182.40|24|0.60|2.8|468|Real Estate|Telecom Tower REITs|6.80|Q|6.20|0.25|M
BABA|Alibaba Group Holding Ltd|XNYS|161.70|41|0.90|16|2387|Consumer Discretionary|Broadline Retail|1.05|A|7.80|0.25|W
TSM|Taiwan Semiconductor Manufacturing Co Ltd|XNYS|292.40|36|1.30|13|5186|Information Technology|Semiconductors|3.25|Q|10.30|0.25|W
ASML|ASML Holding NV|XNAS|1041.00|35|1.35|1.7|388|Information Technology|Semiconductor Equipment|7.50|S|28.60|0.25|W
NVO|Novo Nordisk A/S|XNYS|49.80|41|0.55|17|4440|Health Care|Pharmaceuticals|1.70|S|3.50|0.25|W
SPCE|Virgin Galactic Holdings Inc|XNYS|4.20|84|1.60|3.2|62|Industrials|Aerospace & Defense|0|-|-6.40|14.50|M
BYND|Beyond Meat Inc|XNAS|3.15|95|1.30|12|453|Consumer Staples|Packaged Foods|0|-|-2.10|38.00|M
CVNA|Carvana Co Class A|XNYS|372.80|58|1.90|3.4|141|Consumer Discretionary|Automotive Retail|0|-|5.20|0.35|W
OPTT|Ocean Power Technologies Inc|XASE|0.4150|92|1.10|6.5|178|Industrials|Electrical Components|0|-|-0.12|11.00|-
"""

ETFS = """\
SPY|SPDR S&P 500 ETF Trust|ARCX|684.20|16|1.00|72|990|Large Blend|7.20|Q|W|.SPX|1
VOO|Vanguard S&P 500 ETF|ARCX|628.80|16|1.00|7.6|1290|Large Blend|7.05|Q|W|.SPX|1
IVV|iShares Core S&P 500 ETF|ARCX|687.10|16|1.00|6.9|1010|Large Blend|8.10|Q|M|.SPX|1
VTI|Vanguard Total Stock Market ETF|ARCX|336.70|16|1.02|3.7|1690|Large Blend|3.80|Q|M|.SPX|1
QQQ|Invesco QQQ Trust Series 1|XNAS|622.40|20|1.20|54|660|Large Growth|2.85|Q|W|.NDX|1
QQQM|Invesco NASDAQ 100 ETF|XNAS|256.30|20|1.20|3.4|270|Large Growth|1.32|Q|-|.NDX|1
DIA|SPDR Dow Jones Industrial Average ETF Trust|ARCX|478.10|14|0.88|4.2|88|Large Value|6.90|M|W|.DJI|1
IWM|iShares Russell 2000 ETF|ARCX|246.50|22|1.20|36|286|Small Blend|2.40|Q|W|.RUT|1
MDY|SPDR S&P MidCap 400 ETF Trust|ARCX|598.40|19|1.08|0.9|41|Mid-Cap Blend|7.10|Q|M|-|1
SCHD|Schwab US Dividend Equity ETF|ARCX|27.60|15|0.75|15|2680|Large Value|1.05|Q|M|-|1
VIG|Vanguard Dividend Appreciation ETF|ARCX|218.90|14|0.82|1.1|440|Large Blend|3.55|Q|M|-|1
VYM|Vanguard High Dividend Yield ETF|ARCX|142.30|14|0.80|1.2|470|Large Value|3.60|Q|M|-|1
VUG|Vanguard Growth ETF|ARCX|484.60|20|1.18|1.2|410|Large Growth|2.05|Q|M|.NDX|1
VTV|Vanguard Value ETF|ARCX|188.70|14|0.82|2.3|790|Large Value|3.95|Q|M|.DJI|1
VEA|Vanguard FTSE Developed Markets ETF|ARCX|61.20|16|0.80|13|2840|Foreign Large Blend|1.70|Q|M|-|1
VWO|Vanguard FTSE Emerging Markets ETF|ARCX|54.10|17|0.75|9.1|1760|Emerging Markets|1.42|Q|M|-|1
EEM|iShares MSCI Emerging Markets ETF|ARCX|54.60|18|0.80|32|390|Emerging Markets|1.20|S|W|-|1
EFA|iShares MSCI EAFE ETF|ARCX|95.70|16|0.80|15|720|Foreign Large Blend|2.75|S|W|-|1
VXUS|Vanguard Total International Stock ETF|XNAS|75.20|16|0.78|5.2|1450|Foreign Large Blend|2.10|Q|M|-|1
BND|Vanguard Total Bond Market ETF|XNAS|74.30|5.5|0.02|7.4|1900|Intermediate Core Bond|2.88|M|M|-|1
AGG|iShares Core US Aggregate Bond ETF|ARCX|100.20|5.5|0.02|9.3|1300|Intermediate Core Bond|3.90|M|M|-|1
TLT|iShares 20+ Year Treasury Bond ETF|XNAS|89.40|14|-0.05|37|545|Long Government|3.95|M|W|-|1
IEF|iShares 7-10 Year Treasury Bond ETF|XNAS|96.80|6.5|-0.03|8.1|400|Intermediate Government|3.70|M|W|-|1
SHY|iShares 1-3 Year Treasury Bond ETF|XNAS|82.80|1.6|0.00|4.4|290|Short Government|3.30|M|M|-|1
SGOV|iShares 0-3 Month Treasury Bond ETF|ARCX|100.50|0.5|0.00|12|590|Ultrashort Bond|3.85|M|-|-|1
LQD|iShares iBoxx $ Inv Grade Corporate Bond ETF|ARCX|111.30|7.5|0.10|24|280|Corporate Bond|4.95|M|W|-|1
HYG|iShares iBoxx $ High Yield Corporate Bond ETF|ARCX|80.60|6.5|0.30|38|215|High Yield Bond|4.70|M|W|-|1
GLD|SPDR Gold Shares|ARCX|382.60|19|0.05|10|310|Commodities Focused|0|-|W|-|1
IAU|iShares Gold Trust|ARCX|78.30|19|0.05|7.7|880|Commodities Focused|0|-|M|GLD|1
SLV|iShares Silver Trust|ARCX|46.90|33|0.15|22|560|Commodities Focused|0|-|W|-|1
USO|United States Oil Fund LP|ARCX|71.40|34|0.35|5.1|17|Commodities Focused|0|-|W|-|1
UNG|United States Natural Gas Fund LP|ARCX|13.40|55|0.15|11|34|Commodities Focused|0|-|W|-|1
IBIT|iShares Bitcoin Trust ETF|XNAS|52.30|50|1.10|48|1380|Digital Assets|0|-|W|-|1
ARKK|ARK Innovation ETF|ARCX|79.60|40|1.75|10|88|Mid-Cap Growth|0|-|W|-|1
SMH|VanEck Semiconductor ETF|XNAS|352.70|34|1.55|7.4|98|Technology|1.10|A|W|-|1
SOXL|Direxion Daily Semiconductor Bull 3X Shares|ARCX|42.10|102|4.65|78|310|Leveraged Equity|0.25|Q|W|SMH|3
XLK|Technology Select Sector SPDR Fund|ARCX|146.40|22|1.25|9.8|640|Technology|0.80|Q|W|-|1
XLF|Financial Select Sector SPDR Fund|ARCX|53.20|18|0.98|38|1000|Financial|0.75|Q|W|-|1
XLE|Energy Select Sector SPDR Fund|ARCX|45.60|22|0.70|27|590|Energy|1.45|Q|W|-|1
XLV|Health Care Select Sector SPDR Fund|ARCX|153.80|15|0.60|11|250|Health|2.40|Q|W|-|1
XLI|Industrial Select Sector SPDR Fund|ARCX|155.40|17|1.00|9.2|165|Industrials|2.10|Q|W|-|1
XLY|Consumer Discretionary Select Sector SPDR Fund|ARCX|119.60|20|1.15|8.5|200|Consumer Cyclical|0.95|Q|W|-|1
XLP|Consumer Staples Select Sector SPDR Fund|ARCX|78.20|12|0.45|15|200|Consumer Defensive|2.10|Q|W|-|1
XLU|Utilities Select Sector SPDR Fund|ARCX|43.70|16|0.40|15|510|Utilities|1.20|Q|W|-|1
XLB|Materials Select Sector SPDR Fund|ARCX|45.30|18|0.95|10|120|Natural Resources|0.85|Q|M|-|1
XLRE|Real Estate Select Sector SPDR Fund|ARCX|41.40|17|0.80|6.1|190|Real Estate|1.40|Q|M|-|1
XLC|Communication Services Select Sector SPDR Fund|ARCX|117.30|19|1.00|5.0|230|Communications|1.35|Q|M|-|1
VNQ|Vanguard Real Estate ETF|ARCX|90.60|17|0.80|3.4|380|Real Estate|3.50|Q|M|XLRE|1
TQQQ|ProShares UltraPro QQQ|XNAS|54.80|60|3.60|72|540|Leveraged Equity|0.35|Q|W|.NDX|3
SQQQ|ProShares UltraPro Short QQQ|XNAS|66.90|60|-3.60|38|52|Inverse Equity|3.20|Q|W|.NDX|-3
SPXL|Direxion Daily S&P 500 Bull 3X Shares|ARCX|218.40|48|3.00|3.3|27|Leveraged Equity|1.60|Q|W|.SPX|3
SH|ProShares Short S&P500|ARCX|36.40|16|-1.00|7.8|31|Inverse Equity|1.60|Q|M|.SPX|-1
JEPI|JPMorgan Equity Premium Income ETF|ARCX|57.30|11|0.62|5.6|720|Derivative Income|4.60|M|M|-|1
FTEC|Fidelity MSCI Information Technology Index ETF|ARCX|226.80|22|1.25|0.4|74|Technology|0.92|Q|-|XLK|1
FBTC|Fidelity Wise Origin Bitcoin Fund|BATS|80.40|50|1.10|4.2|240|Digital Assets|0|-|W|IBIT|1
ONEQ|Fidelity NASDAQ Composite Index ETF|XNAS|92.10|20|1.20|0.4|94|Large Growth|0.48|Q|-|.IXIC|1
"""

INDICES = """\
.SPX|S&P 500 Index|6842.00|16|1.00|W
.DJI|Dow Jones Industrial Average|47810.00|14|0.85|-
.IXIC|NASDAQ Composite Index|23460.00|19|1.18|-
.NDX|NASDAQ-100 Index|25580.00|20|1.20|W
.RUT|Russell 2000 Index|2482.00|22|1.20|W
.VIX|CBOE Volatility Index|17.60|82|-3.60|-
.TNX|CBOE 10-Year Treasury Note Yield Index|40.80|22|0.20|-
.OEX|S&P 100 Index|3418.00|17|1.02|M
"""

FUNDS = """\
FXAIX|Fidelity 500 Index Fund|238.40|16|1.00|742000|Large Blend|2.75|Q|.SPX
FSKAX|Fidelity Total Market Index Fund|187.60|16|1.02|126000|Large Blend|2.00|S|.SPX
FCNTX|Fidelity Contrafund|26.30|17|1.05|183000|Large Growth|0.10|A|-
FTIHX|Fidelity Total International Index Fund|17.90|15|0.78|20400|Foreign Large Blend|0.44|A|-
FXNAX|Fidelity US Bond Index Fund|10.55|5.5|0.02|66000|Intermediate Core Bond|0.36|M|BND
FBGRX|Fidelity Blue Chip Growth Fund|262.70|20|1.20|86000|Large Growth|0.20|A|.NDX
FZROX|Fidelity ZERO Total Market Index Fund|23.80|16|1.02|38000|Large Blend|0.27|A|.SPX
VTSAX|Vanguard Total Stock Market Index Fund Admiral Shares|164.30|16|1.02|1980000|Large Blend|1.86|Q|.SPX
FFFHX|Fidelity Freedom 2050 Fund|15.20|14|0.85|31000|Target-Date|0.24|A|-
"""

MONEY_MARKET = """\
SPAXX|Fidelity Government Money Market Fund|392000|3.52
FDRXX|Fidelity Government Cash Reserves|268000|3.55
FZFXX|Fidelity Treasury Money Market Fund|61000|3.47
FDLXX|Fidelity Treasury Only Money Market Fund|19000|3.44
FCASH|Taxable Interest Bearing Cash Option|12000|1.90
"""
